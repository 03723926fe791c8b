//! The report in a real browser. `tests/browser/run` makes the pages, starts chromedriver and runs these.

mod driver;

use std::path::PathBuf;
use std::time::Instant;

use serde_json::json;

use driver::{Browser, DOWN, END, ENTER, ESCAPE, LEFT, RIGHT, Screen, UP};

/// Where the pages are.
const PAGES: &str = "BURNCAM_PAGES";

/// The names of the files on cards in the grid, in order.
const PATHS: &str = "[...document.querySelectorAll('.card .line[title]')].map((line) => line.title)";
const CARDS: &str = "document.querySelectorAll('.card').length";

fn page(folder: &str, hash: &str) -> String {
    let pages = std::env::var(PAGES).unwrap_or_else(|_| panic!("{PAGES} is not set (run tests/browser/run)"));
    let page = PathBuf::from(pages).join(folder).join("report.html").canonicalize().unwrap();
    format!("file://{}{hash}", page.display())
}

fn choose(browser: &Browser, key: &str, text: &str) {
    browser.run(&format!(
        "const select = document.querySelector('select[data-key={key}]');
         select.value = [...select.options].find((option) => option.text.startsWith({})).value;
         select.dispatchEvent(new Event('change'));",
        json!(text)
    ));
}

fn show(browser: &Browser, group: &str) {
    browser.run(&format!("document.querySelector('[data-show={group}]').click();"));
}

#[test]
#[ignore = "needs a browser: tests/browser/run"]
fn a_run_of_the_command_can_be_looked_through() {
    let folder = PathBuf::from(std::env::var(PAGES).unwrap()).join("real");
    let summary = std::fs::read(folder.join("summary.json")).unwrap();
    let summary: serde_json::Value = serde_json::from_slice(&summary).unwrap();
    assert!(summary["failed"].as_u64().unwrap() > 2, "{summary}");
    let browser = Browser::open(Screen::Light, &page("real", ""));
    assert_eq!(browser.value(CARDS), summary["images"]);
    browser.shot("real");
    let pictures = "[...document.querySelectorAll('.card img')]";
    for view in ["original", "overlay"] {
        browser.run(&format!("document.querySelector('[data-view={view}]').click();"));
        browser.wait_for(&format!("{pictures}.every((image) => image.naturalWidth > 0 && image.alt !== '')"));
        assert_eq!(browser.value(&format!("{pictures}.length")), summary["explained"]);
    }
    let named = "[...document.querySelectorAll('button, input')].every((each) => each.ariaLabel || each.textContent.trim())";
    assert_eq!(browser.value(named), true, "every control says what it is");
    show(&browser, "mistakes");
    assert_eq!(browser.value(PATHS), json!(["fixtures/images/chelsea.png"]));
    choose(&browser, "method", "LayerCAM");
    browser.press(&[RIGHT, ENTER]);
    browser.wait_for("document.querySelector('#frame img')?.src.endsWith('chelsea.layercam.282.png')");
    browser.wait_for("document.querySelector('#frame img').naturalWidth === 451");
    browser.shot("real-large");
    browser.press(&[ESCAPE]);
    browser.wait_for("!large.open");
    show(&browser, "failed");
    assert_eq!(browser.value(CARDS), summary["failed"]);
    browser.assert_quiet();
}

#[test]
#[ignore = "needs a browser: tests/browser/run"]
fn filters_sorting_and_search_find_what_they_should() {
    let browser = Browser::open(Screen::Light, &page("small", ""));
    assert_eq!(browser.value(CARDS), 14, "twelve pictures and two failures");
    browser.shot("small");
    show(&browser, "mistakes");
    assert_eq!(browser.value(CARDS), 6);
    assert_eq!(browser.value("document.querySelectorAll('.card .wrong').length"), 6);
    show(&browser, "failed");
    assert_eq!(browser.value(CARDS), 2);
    assert_eq!(browser.value("document.querySelectorAll('.card.failed .why').length"), 2);
    browser.shot("failed");
    show(&browser, "warnings");
    assert_eq!(
        browser.value("[...document.querySelectorAll('.chip.warn')].map((c) => c.textContent)"),
        json!(["Blank map"])
    );
    show(&browser, "all");
    choose(&browser, "class", "cat");
    assert_eq!(browser.value(CARDS), 8);
    assert_eq!(
        browser.value(
            "[...new Set([...document.querySelectorAll('.class :first-child')].map((c) => c.textContent))]"
        ),
        json!(["cat"])
    );
    choose(&browser, "class", "any");
    choose(&browser, "sort", "probability, lowest");
    let numbers = "[...document.querySelectorAll('.card .number')].map((n) => parseFloat(n.textContent))";
    let rising: Vec<f64> = serde_json::from_value(browser.value(numbers)).unwrap();
    assert!(rising.len() == 12 && rising.is_sorted(), "{rising:?}");
    choose(&browser, "sort", "probability, highest");
    let falling: Vec<f64> = serde_json::from_value(browser.value(numbers)).unwrap();
    assert!(falling.len() == 12 && falling.is_sorted_by(|a, b| a >= b), "{falling:?}");
    assert_eq!(
        browser.value("document.querySelectorAll('li:nth-child(n+13) .failed').length"),
        2,
        "failures stand last"
    );
    browser.run("search.value = 'CUT photos'; search.dispatchEvent(new Event('input'));");
    assert_eq!(browser.value(PATHS), json!(["photos/cut.jpg"]));
    browser.run("search.value = 'nothing is called so'; search.dispatchEvent(new Event('input'));");
    assert_eq!(
        browser.value("[document.querySelectorAll('.card').length, nothing.hidden]"),
        json!([0, false])
    );
    browser.shot("nothing");
    browser.run("clear.click();");
    assert_eq!(browser.value(CARDS), 14);
    browser.assert_quiet();
}

#[test]
#[ignore = "needs a browser: tests/browser/run"]
fn keys_lead_through_cards_and_large_view() {
    let browser = Browser::open(Screen::Light, &page("small", ""));
    let focus = "[...document.querySelectorAll('.card')].indexOf(document.activeElement)";
    let columns =
        browser.value("getComputedStyle(grid).gridTemplateColumns.split(' ').length").as_i64().unwrap();
    assert!(columns > 2, "{columns} columns");
    let mut steps = vec![(RIGHT, 0), (RIGHT, 1), ('j', 2), (LEFT, 1), ('k', 0), (LEFT, 0), (UP, 0)];
    steps.extend([(DOWN, columns), (UP, 0), (END, 13), ('\u{e011}', 0), (RIGHT, 1)]);
    for (at, (key, place)) in steps.into_iter().enumerate() {
        browser.press(&[key]);
        assert_eq!(browser.value(focus), place, "key {at}");
    }
    let source = "document.activeElement.querySelector('img').src.slice(-80)";
    let overlay = browser.value(source);
    browser.press(&[' ']);
    let original = browser.value(source);
    assert_ne!(overlay, original, "the toggle changes the picture");
    browser.press(&['o']);
    assert_eq!(browser.value(source), overlay);

    browser.press(&[ENTER]);
    browser.wait_for("large.open");
    let large = "document.querySelector('#frame img').src";
    browser.wait_for(&format!("{large}.endsWith('.png')"));
    browser.wait_for("document.querySelector('#frame img').naturalWidth > 0");
    assert_eq!(
        browser.value("document.querySelectorAll('#strip button').length"),
        4,
        "two methods of two classes"
    );
    let first = browser.value(large);
    browser.press(&['m']);
    browser.wait_for(&format!("{large}.endsWith('.png') && {large} !== {first}"));
    assert_eq!(browser.value("document.querySelectorAll('#strip [aria-pressed=true]').length"), 1);
    browser.press(&['b']);
    assert_eq!(browser.value("document.querySelectorAll('#frame .heat').length"), 1);
    browser.shot("large");
    browser.press(&['o']);
    browser.wait_for(&format!("{large}.endsWith('.jpg')"));
    let place = browser.value("place.textContent");
    browser.press(&[RIGHT]);
    assert_ne!(browser.value("place.textContent"), place);
    browser.press(&[ESCAPE]);
    browser.wait_for("!large.open && location.hash === '#view=original'");
    assert_eq!(browser.value(focus), 2, "the keyboard stands where the large view was left");
    browser.press(&['?']);
    browser.wait_for("help.open");
    browser.shot("keys");
    browser.press(&[ESCAPE]);
    browser.wait_for("!help.open");
    browser.press(&['/', 'c', 'u', 't']);
    assert_eq!(browser.value(PATHS), json!(["photos/cut.jpg"]));
    browser.press(&[ENTER, ENTER]);
    browser.wait_for("large.open");
    browser.shot("large-failed");
    browser.assert_quiet();
}

#[test]
#[ignore = "needs a browser: tests/browser/run"]
fn the_address_holds_what_was_asked() {
    let browser = Browser::open(Screen::Light, &page("small", ""));
    show(&browser, "mistakes");
    choose(&browser, "sort", "probability, highest");
    choose(&browser, "method", "LayerCAM");
    browser.run("document.querySelector('[data-view=original]').click(); document.querySelectorAll('.card')[2].click();");
    browser.wait_for("large.open");
    let state = "[location.hash, document.querySelector('#details .path').textContent,
        document.querySelector('#details .facts').textContent, document.querySelectorAll('.card').length]";
    let before = browser.value(state);
    let hash = before[0].as_str().unwrap().to_owned();
    for part in ["show=mistakes", "sort=most", "method=1", "view=original", "open="] {
        assert!(hash.contains(part), "{hash}");
    }
    let again = Browser::open(Screen::Light, &page("small", &hash));
    again.wait_for("large.open");
    assert_eq!(again.value(state), before);
    again.press(&[ESCAPE]);
    again.wait_for("!large.open && !location.hash.includes('open=')");
    // Back closes the large view, as people on phones expect.
    browser.run("history.back();");
    browser.wait_for("!large.open && !location.hash.includes('open=')");
    assert_eq!(browser.value(CARDS), 6);
    browser.visit(&page("small", "#show=failed"));
    browser.wait_for("document.querySelectorAll('.card').length === 2 && [...document.querySelectorAll('[data-show=failed]')][0].ariaPressed === 'true'");
    browser.assert_quiet();
    again.assert_quiet();
}

#[test]
#[ignore = "needs a browser: tests/browser/run"]
fn hostile_names_are_text_and_odd_ones_load() {
    let browser = Browser::open(Screen::Light, &page("small", ""));
    let hostile = "</script><img src=x onerror=alert(1)>";
    assert_eq!(browser.value("[title.textContent, document.querySelectorAll('script').length, document.querySelectorAll('img[src=x]').length]"), json!([hostile, 2, 0]));
    assert_eq!(browser.value("[...document.querySelectorAll('.class :first-child')].filter((c) => c.textContent.includes('onerror')).length"), 4);
    choose(&browser, "class", hostile);
    assert_eq!(browser.value(CARDS), 4);
    browser.run("clear.click();");
    // Each photo and each map, from its own file.
    for view in ["overlay", "original"] {
        browser.run(&format!(
            "document.querySelector('[data-view={view}]').click(); document.querySelector('.card').click();"
        ));
        for at in 0..14 {
            if browser.value("document.querySelector('#details .wrong') !== null && strip.hidden")
                != json!(true)
            {
                let ending = if view == "overlay" { ".png" } else { ".jpg" };
                browser.wait_for(&format!("document.querySelector('#frame img')?.src.endsWith('{ending}')"));
                browser.wait_for("document.querySelector('#frame img').naturalWidth > 100");
            }
            if at < 13 {
                browser.press(&[RIGHT]);
            }
        }
        browser.press(&[ESCAPE]);
        browser.wait_for("!large.open");
    }
    browser.assert_quiet();
}

#[test]
#[ignore = "needs a browser: tests/browser/run"]
#[expect(clippy::print_stdout, reason = "the times are what a person runs this for")]
fn five_thousand_pictures_stay_fluid() {
    let start = Instant::now();
    let browser = Browser::open(Screen::Light, "about:blank");
    let started = start.elapsed();
    let start = Instant::now();
    browser.visit(&page("large", ""));
    browser.wait_for("document.querySelector('.card img')?.naturalWidth > 0");
    let first = start.elapsed();
    browser.wait_for("document.querySelectorAll('.card').length === 5000");
    let all = start.elapsed();
    let timing = browser.value("[performance.timing.domContentLoadedEventEnd - performance.timing.fetchStart, document.querySelector('#data').textContent.length]");
    browser.wait_for("[...document.querySelectorAll('.card')].slice(0, 12).every((c) => c.querySelector('img')?.naturalWidth > 0)");
    let early = browser
        .value("[...document.images].filter((image) => image.naturalWidth > 0).length")
        .as_u64()
        .unwrap();
    assert!(early < 500, "{early} pictures were loaded before they were in view");
    browser.shot("large-set");

    let start = Instant::now();
    browser.press(&[END]);
    browser.wait_for(
        "document.activeElement.getBoundingClientRect().bottom <= innerHeight + 1 && scrollY > 10000",
    );
    browser.wait_for("[...document.querySelectorAll('.card')].slice(-12, -1).every((c) => c.querySelector('img')?.naturalWidth > 0)");
    let end = start.elapsed();
    browser.shot("large-set-end");
    let sort = "const start = performance.now();
        const select = document.querySelector('select[data-key=sort]'); select.value = 'most'; select.dispatchEvent(new Event('change'));
        document.body.offsetHeight; return performance.now() - start;";
    let sorted = browser.run(sort);
    let toggled = browser.run(
        "const start = performance.now(); document.querySelector('[data-view=original]').click();
        document.body.offsetHeight; return performance.now() - start;",
    );
    println!(
        "browser {started:.0?}; first picture {first:.0?}, all 5,000 cards {all:.0?}, script done and data {timing}, \
         {early} pictures loaded early; to the end {end:.0?}; sorting {sorted} ms, toggling {toggled} ms"
    );
    browser.wait_for("document.querySelectorAll('.card').length === 5000");
    // Through the whole page, a window at a time: every picture comes.
    browser.run("window.scrollTo(0, 0);");
    browser.run(
        "window.finished = false;
         const step = async () => {
           for (let y = 0; y < document.body.scrollHeight; y += innerHeight) {
             window.scrollTo(0, y);
             await new Promise(requestAnimationFrame);
             await new Promise(requestAnimationFrame);
           }
           window.finished = true;
         }; step();",
    );
    let start = Instant::now();
    while browser.value("window.finished") != json!(true) {
        assert!(start.elapsed().as_secs() < 120, "scrolling did not come to its end");
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    println!("scrolling through all: {:.1?}", start.elapsed());
    browser.wait_for("[...document.querySelectorAll('.card:not(.failed)')].every((card) => card.querySelector('img') && !card.querySelector('.gone'))");
    browser.wait_for(
        "[...document.images].filter((image) => image.complete && image.naturalWidth > 0).length > 4900",
    );
    assert!(sorted.as_f64().unwrap() < 1000.0 && toggled.as_f64().unwrap() < 1000.0);
    assert!(first.as_secs_f64() < 5.0, "the first picture took {first:?}");
    browser.assert_quiet();
}

#[test]
#[ignore = "needs a browser: tests/browser/run"]
fn phones_and_dark_rooms_are_at_home() {
    let overflow = "document.documentElement.scrollWidth - innerWidth";
    for folder in ["small", "large"] {
        let browser = Browser::open(Screen::Phone, &page(folder, ""));
        browser.wait_for("document.querySelector('.card img')?.naturalWidth > 0");
        assert_eq!(browser.value(overflow), 0, "{folder}");
        assert!(browser.value("getComputedStyle(grid).gridTemplateColumns.split(' ').length") == 2);
        browser.shot(&format!("phone-{folder}"));
        browser.run("more.click();");
        assert_eq!(browser.value(overflow), 0, "{folder}, filters");
        browser.shot(&format!("phone-{folder}-filters"));
        browser.run("more.click(); document.querySelector('.card').click();");
        browser.wait_for("document.querySelector('#frame img')?.naturalWidth > 0");
        assert_eq!(browser.value(overflow), 0, "{folder}, large view");
        assert_eq!(browser.value("large.scrollWidth - large.clientWidth"), 0);
        browser.shot(&format!("phone-{folder}-large"));
        browser.assert_quiet();
    }
    let luminance = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0)";
    let light = Browser::open(Screen::Light, &page("small", ""));
    assert!(light.value(luminance).as_u64().unwrap() > 600);
    let dark = Browser::open(Screen::Dark, &page("small", ""));
    assert!(dark.value(luminance).as_u64().unwrap() < 150);
    dark.shot("dark");
    dark.run("document.querySelectorAll('.card')[4].click();");
    dark.wait_for("document.querySelector('#frame img')?.naturalWidth > 0");
    dark.shot("dark-large");
}
