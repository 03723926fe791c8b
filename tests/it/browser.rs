//! The report in a real browser. `tests/browser/run` makes the pages, starts chromedriver and runs these.

mod driver;
mod large_runs;
mod selection;
mod two_runs;

use std::path::PathBuf;

use serde_json::{Value, json};

use driver::{Browser, DOWN, END, ENTER, ESCAPE, HOME, LEFT, RIGHT, Screen, UP};

/// Where the pages are.
const PAGES: &str = "BURNCAM_PAGES";

/// The names of the files on cards in the grid, in order.
const PATHS: &str = "[...document.querySelectorAll('.card .line[title]')].map((line) => line.title)";
const CARDS: &str = "document.querySelectorAll('.card').length";
/// How many pictures answer; only those near the window have cards.
const COUNT: &str = "Number(document.querySelector('#status').textContent.replaceAll(',', '').split(' ')[0])";
/// Pictures of cards in the grid.
const PICTURES: &str = "[...document.querySelectorAll('#grid .card img')]";

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
    let summary: Value = serde_json::from_slice(&summary).unwrap();
    assert!(summary["failed"].as_u64().unwrap() > 2, "{summary}");
    let browser = Browser::open(Screen::Light, &page("real", ""));
    assert_eq!(browser.value(COUNT), summary["images"]);
    browser.shot("real");
    for view in ["original", "overlay"] {
        browser.run(&format!("document.querySelector('[data-view={view}]').click();"));
        browser.wait_for(&format!("{PICTURES}.every((image) => image.naturalWidth > 0 && image.alt !== '')"));
        assert!(browser.value(&format!("{PICTURES}.length")).as_u64().unwrap() > 12);
    }
    let (title, about) = ("title.textContent", "summary.textContent");
    let pictures = format!("fixtures/images: {} pictures", summary["images"]);
    assert_eq!(browser.value(title), json!(pictures));
    assert!(
        browser.value(about).as_str().unwrap().starts_with("efficientnet_lite0"),
        "{}",
        browser.value(about)
    );
    assert_eq!(browser.value("legend.querySelector('img').naturalWidth"), 256);
    let named = "[...document.querySelectorAll('button, input')].every((each) => each.ariaLabel || each.textContent.trim())";
    assert_eq!(browser.value(named), true, "every control says what it is");
    show(&browser, "mistakes");
    assert_eq!(browser.value(PATHS), json!(["fixtures/images/chelsea.png"]));
    choose(&browser, "method", "LayerCAM");
    browser.press(&[RIGHT, ENTER]);
    browser.wait_for("document.querySelector('#frame img')?.src.endsWith('chelsea.layercam.282.png')");
    browser.wait_for("document.querySelector('#frame img').naturalWidth === 451");
    browser.shot("real-large");
    browser.press(&['s']);
    browser.wait_for("document.querySelector('#second img')?.src.endsWith('fixtures/images/chelsea.png')");
    browser.press(&['s']);
    browser.wait_for("document.querySelector('#second img')?.src.endsWith('chelsea.gradcam.282.png')");
    let named = "[...document.querySelectorAll('.of')].map((each) => each.textContent)";
    assert_eq!(browser.value(named), json!(["LayerCAM", "Grad-CAM"]));
    browser.shot("real-two");
    let links = "[...document.querySelectorAll('.files a')].map((link) => link.textContent)";
    assert_eq!(browser.value(links), json!(["original", "overlay", "record"]));
    browser.press(&[ESCAPE]);
    browser.wait_for("!large.open");
    show(&browser, "failed");
    assert_eq!(browser.value(COUNT), summary["failed"]);
    let reasons = "[...document.querySelectorAll('.reason .count')].map((each) => Number(each.textContent))";
    let reasons: Vec<u64> = serde_json::from_value(browser.value(reasons)).unwrap();
    assert!(reasons.is_sorted_by(|one, next| one >= next), "the most frequent reason first: {reasons:?}");
    browser.shot("real-failed");
    browser.assert_quiet();
}

#[test]
#[ignore = "needs a browser: tests/browser/run"]
fn numbers_of_the_tables_and_words_of_classes_filter() {
    let browser = Browser::open(Screen::Light, &page("real", ""));
    browser.run("document.querySelector('.whole').open = true;");
    browser.shot("real-overview");
    browser.run("document.querySelector('.classes [data-only=mistakes]').click();");
    assert_eq!(browser.value(PATHS), json!(["fixtures/images/chelsea.png"]));
    browser.run("clear.click(); document.querySelector('.matrix button').click();");
    let cell = browser.value("Number(document.querySelector('.matrix button').textContent)");
    assert_eq!(browser.value(COUNT), cell);
    // The network is least sure of the label of the rocket, though it is right, and then of that of the cat, where it is not.
    browser.run("clear.click();");
    choose(&browser, "sort", "probability of the given label");
    let first = browser.value(&format!("{PATHS}.slice(0, 2)"));
    assert_eq!(first, json!(["fixtures/images/rocket.jpg", "fixtures/images/chelsea.png"]));
    choose(&browser, "sort", "disagreement of methods");
    assert!(browser.value(COUNT).as_u64().unwrap() > 12);
    let search = |words: &str| {
        browser.run(&format!("search.value = {}; search.dispatchEvent(new Event('input'));", json!(words)));
    };
    search("espresso coffee");
    assert_eq!(browser.value(PATHS), json!(["fixtures/images/coffee.png"]));
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
    assert_eq!(
        browser.value("[...document.querySelectorAll('.reason')].map((each) => each.textContent)"),
        json!(["2 not explained: cut short: the jpeg ends before its last pixel (is it whole?)"])
    );
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
        browser.value("document.querySelectorAll('#failures .failed').length"),
        2,
        "failures stand last"
    );
    choose(&browser, "sort", "heat outside of the boxes");
    let names = browser.value(&format!("{PATHS}.map((path) => path.split('/').at(-1))"));
    assert_eq!(
        [0, 1, 10, 11].map(|at| names[at].clone()),
        ["caf\u{e9} \u{1f600}.jpg", "hash#1.jpg", "with space.jpg", "50%25.jpg"].map(|name| json!(name)),
        "most heat first, and last the one without boxes"
    );
    choose(&browser, "sort", "path");
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
    steps.extend([(DOWN, columns), (UP, 0), (END, 13), (HOME, 0), (RIGHT, 1)]);
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
    assert_eq!(browser.value("title.textContent"), "14 pictures");
    assert_eq!(browser.value("[summary.textContent.split(' \\u00B7 ')[0], document.querySelectorAll('script').length, document.querySelectorAll('img[src=x]').length]"), json!([hostile, 3, 0]));
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
        // A finger moved to the left goes on, one moved to the right goes back.
        browser.swipe(300, 80);
        browser.wait_for("place.textContent.startsWith('2 of')");
        browser.swipe(80, 300);
        browser.wait_for("place.textContent.startsWith('1 of')");
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
