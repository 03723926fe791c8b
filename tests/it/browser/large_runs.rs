//! Pages of many pictures: what they cost, and that every picture comes.

use std::time::{Duration, Instant};

use serde_json::json;

use super::driver::{Browser, END, Screen};
use super::{CARDS, COUNT, PICTURES, page};

/// What one of these pages may take, several times what it does on a machine without other work.
const MOST_TO_LOAD: f64 = 2000.0;
const MOST_TO_FILTER: f64 = 600.0;
const MOST_MEMORY: u64 = 400 << 20;

/// Milliseconds that statements and the drawing after them take.
fn timed(browser: &Browser, statements: &str) -> f64 {
    let script = format!(
        "const start = performance.now(); {statements}; document.body.offsetHeight; return performance.now() - start;"
    );
    browser.run(&script).as_f64().unwrap()
}

/// Bytes of memory of the largest process that shows pages.
fn memory() -> u64 {
    let of = |entry: std::fs::DirEntry| -> Option<u64> {
        let arguments = std::fs::read(entry.path().join("cmdline")).ok()?;
        if !String::from_utf8_lossy(&arguments).contains("--type=renderer") {
            return None;
        }
        let status = std::fs::read_to_string(entry.path().join("status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? << 10)
    };
    std::fs::read_dir("/proc").unwrap().filter_map(|entry| of(entry.ok()?)).max().unwrap()
}

#[test]
#[ignore = "needs a browser: tests/browser/run"]
#[expect(clippy::print_stdout, reason = "the figures are what a person runs this for")]
fn fifty_thousand_pictures_stay_fluid() {
    let browser = Browser::open(Screen::Light, "about:blank");
    browser.visit(&page("huge", ""));
    assert_eq!(browser.value(COUNT), 50_000);
    // From the navigation on, until the first cards are drawn and every filter answers.
    let loaded = "performance.getEntriesByName('ready')[0].startTime";
    let loaded = browser.value(loaded).as_f64().unwrap();
    let size = browser.value("document.querySelector('#data').textContent.length + document.querySelector('#cards').textContent.length").as_f64().unwrap();
    let sort = |by: &str| {
        format!(
            "const s = document.querySelector('select[data-key=sort]'); s.value = '{by}'; s.dispatchEvent(new Event('change'))"
        )
    };
    let search = |words: &str| format!("search.value = '{words}'; search.dispatchEvent(new Event('input'))");
    let steps = [
        ("mistakes", "document.querySelector('[data-show=mistakes]').click()".to_owned(), 5000),
        ("all", "document.querySelector('[data-show=all]').click()".to_owned(), 50_000),
        ("sorting", sort("most"), 50_000),
        ("searching a path", search("123"), 200),
        ("searching a class", search("tripod"), 10_000),
        ("no search", search(""), 50_000),
        ("selecting all", "document.querySelector('#pick-shown').click()".to_owned(), 50_000),
        ("the original", "document.querySelector('[data-view=original]').click()".to_owned(), 50_000),
    ];
    let mut figures = vec![format!("{:.1} MB, loaded in {loaded:.0} ms", size / 1e6)];
    for (name, statements, count) in steps {
        let took = timed(&browser, &statements);
        figures.push(format!("{name} {took:.0} ms"));
        assert_eq!(browser.value(COUNT), count, "{name}");
        assert!(took < MOST_TO_FILTER, "{name} took {took} ms");
    }
    for _ in 0..20 {
        browser.run("window.scrollBy(0, 100_000);");
    }
    browser.press(&[END]);
    browser.wait_for("document.activeElement.classList.contains('failed')");
    assert!(browser.value(CARDS).as_u64().unwrap() < 200, "only cards near the window exist");
    let memory = memory();
    figures.push(format!("{} MB of memory", memory >> 20));
    println!("50,000 pictures: {}", figures.join("; "));
    assert!(loaded < MOST_TO_LOAD, "loading took {loaded} ms");
    assert!(memory < MOST_MEMORY, "{memory} bytes");
}

#[test]
#[ignore = "needs a browser: tests/browser/run"]
fn every_picture_of_five_thousand_comes_when_it_is_in_view() {
    let browser = Browser::open(Screen::Light, &page("large", ""));
    browser
        .wait_for(&format!("{PICTURES}.length > 12 && {PICTURES}.every((image) => image.naturalWidth > 0)"));
    assert!(browser.value(CARDS).as_u64().unwrap() < 200, "pictures out of sight are not loaded");
    browser.shot("large-set");
    browser.press(&[END]);
    browser.wait_for(
        "document.activeElement.getBoundingClientRect().bottom <= innerHeight + 1 && scrollY > 10000",
    );
    browser
        .wait_for(&format!("{PICTURES}.length > 5 && {PICTURES}.every((image) => image.naturalWidth > 0)"));
    browser.shot("large-set-end");
    // Through the whole page, a window at a time.
    browser.run("window.scrollTo(0, 0);");
    browser.run(
        "window.finished = false;
         window.met = new Set();
         const step = async () => {
           for (let y = 0; y < document.body.scrollHeight; y += innerHeight) {
             window.scrollTo(0, y);
             do await new Promise(requestAnimationFrame);
             while ([...document.querySelectorAll('#grid img')].some((image) => !image.complete || image.naturalWidth === 0));
             for (const line of document.querySelectorAll('#grid .line[title]')) window.met.add(line.title);
           }
           window.finished = true;
         }; step();",
    );
    let start = Instant::now();
    while browser.value("window.finished") != json!(true) {
        assert!(start.elapsed().as_secs() < 120, "scrolling did not come to its end: a picture is missing");
        std::thread::sleep(Duration::from_millis(200));
    }
    assert_eq!(browser.value("window.met.size"), 4995);
    browser.assert_quiet();
}
