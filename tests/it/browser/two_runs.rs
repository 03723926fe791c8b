//! A page of two runs: what the second one says stands next to the first, and leads to the pictures that moved.

use serde_json::Value;

use super::driver::{Browser, ENTER, ESCAPE, HOME, RIGHT, Screen};
use super::{CARDS, PATHS, PICTURES, choose, page, show};

#[test]
#[ignore = "needs a browser: tests/browser/run"]
fn two_runs_stand_side_by_side_and_are_sorted_by_how_far_they_are_apart() {
    let browser = Browser::open(Screen::Light, &page("two", ""));
    let about = browser.value("summary.textContent");
    let about = about.as_str().unwrap();
    assert!(
        about.contains("real next to") && about.contains("other: ") && about.contains(" in both"),
        "{about}"
    );
    browser
        .wait_for(&format!("{PICTURES}.length > 10 && {PICTURES}.every((image) => image.naturalWidth > 0)"));
    let pairs = "[...document.querySelectorAll('#grid .picture')].filter((each) => each.querySelectorAll('.two img').length === 2).length";
    assert_eq!(
        browser.value(pairs),
        browser.value("document.querySelectorAll('#grid .card').length"),
        "both maps on each card"
    );
    browser.shot("two-runs");
    // The least correlation first, as the large view has it.
    choose(&browser, "sort", "maps of the two runs");
    browser.press(&[HOME, ENTER]);
    browser.wait_for("large.open");
    let alike =
        "(details.textContent.match(/Both runsrank correlation of their maps (-?[0-9.]+)/) ?? [])[1] ?? null";
    let mut found = vec![browser.value(alike)];
    let names = "[...document.querySelectorAll('.of')].map((each) => each.textContent)";
    assert!(browser.value(names)[1].as_str().unwrap().starts_with("other"), "{}", browser.value(names));
    browser.wait_for("[...document.querySelectorAll('.frame img')].every((image) => image.naturalWidth > 0)");
    let files = "[...document.querySelectorAll('.frame img')].map((image) => image.src.split('/').at(-2))";
    browser.wait_for(&format!("{files}.join() === 'real,other'"));
    browser.shot("two-runs-large");
    for _ in 0..17 {
        browser.press(&[RIGHT]);
        found.push(browser.value(alike));
    }
    // Where the other run explains another class there is none. Runs with one map of a picture in common have no other mean.
    let found: Vec<f64> = found.iter().filter_map(|each| each.as_str()?.parse().ok()).collect();
    assert!(found.len() > 5 && found.is_sorted(), "{found:?}");
    browser.press(&[ESCAPE]);
    browser.wait_for("!large.open");
    // What changed its class: each card says so, and the farthest apart stands first.
    choose(&browser, "sort", "classes of the two runs");
    show(&browser, "changed");
    let count = browser.value(CARDS).as_u64().unwrap();
    assert!(count > 1, "two networks differ on some of these pictures");
    let marks = "[...document.querySelectorAll('.chip.warn')].filter((chip) => chip.textContent === 'Changed').length";
    assert_eq!(browser.value(marks), count);
    let both = "[...document.querySelectorAll('#grid .card .text')].map((text) =>
        parseFloat(text.querySelector('.number').textContent) + parseFloat(text.textContent.match(/other: .*, ([<0-9.]+) %/)[1]))";
    let sums: Vec<f64> = serde_json::from_value(browser.value(both)).unwrap();
    // Each is rounded to a tenth.
    assert!(sums.windows(2).all(|pair| pair[0] >= pair[1] - 0.2), "{sums:?}");
    browser.shot("two-runs-changed");
    let changed = browser.value(PATHS);
    // The list that is taken away has the second run's class.
    browser.run("window.saved = ''; HTMLAnchorElement.prototype.click = () => {}; URL.createObjectURL = (blob) => { blob.text().then((text) => { window.saved = text; }); return ''; };");
    browser.run(
        "document.querySelector('#pick-shown').click(); document.querySelector('[data-save=json]').click();",
    );
    browser.wait_for("window.saved !== ''");
    let saved: Value = serde_json::from_str(browser.value("window.saved").as_str().unwrap()).unwrap();
    assert_eq!(saved.as_array().unwrap().len() as u64, count);
    assert!(
        saved.as_array().unwrap().iter().all(|entry| entry["second_predicted"] != entry["predicted"]),
        "{saved}"
    );
    assert_eq!(changed.as_array().unwrap().len() as u64, count);
    let phone = Browser::open(Screen::Phone, &page("two", "#show=changed"));
    phone.wait_for("document.querySelector('.card img')?.naturalWidth > 0");
    assert_eq!(phone.value("document.documentElement.scrollWidth - innerWidth"), 0);
    phone.shot("phone-two-runs");
    phone.run("document.querySelector('.card').click();");
    phone.wait_for("document.querySelector('#second img')?.naturalWidth > 0");
    assert_eq!(phone.value("large.scrollWidth - large.clientWidth"), 0);
    phone.shot("phone-two-runs-large");
    browser.assert_quiet();
    phone.assert_quiet();
}
