//! Cleaning a data set: from the page of a run to the list of the wrong labels.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::driver::{Browser, END, HOME, Screen};
use super::{CARDS, COUNT, choose, page, show};

const PICTURES: usize = 500;
/// One of this many is labelled wrongly.
const STEP: usize = 25;

fn burncam(directory: &Path, arguments: &[&str]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_burncam"));
    let output = command.args(arguments).current_dir(directory).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Parts of the example photographs.
fn make_photos(folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/images");
    let names = ["coffee.png", "chelsea.png", "rocket.jpg", "camera.png"];
    let whole = names.map(|name| image::open(fixtures.join(name)).unwrap().into_rgb8());
    for at in 0..PICTURES {
        let (of, step) = (&whole[at % 4], (at / 4) as u32);
        let (left, top) = (step % 25 * 4, step / 25 * 8);
        let part = image::imageops::crop_imm(of, left, top, of.width() - 120, of.height() - 60).to_image();
        let part = image::imageops::thumbnail(&part, 160, 120);
        part.save(folder.join(format!("{at:03} of {}.png", &names[at % 4][..3]))).unwrap();
    }
}

/// A run of 500 pictures, labelled as they are predicted but for 20. Returns the paths of these.
fn run_with_wrong_labels(directory: &Path) -> BTreeSet<String> {
    make_photos(&directory.join("photos"));
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/models/squeezenet1_1.bpk");
    let model = model.to_str().unwrap();
    burncam(directory, &["predict", "-m", model, "photos", "--jsonl", "predicted.jsonl", "--quiet"]);
    let lines = std::fs::read_to_string(directory.join("predicted.jsonl")).unwrap();
    let (mut labels, mut wrong) = ("path,class\n".to_owned(), BTreeSet::new());
    for (at, line) in lines.lines().enumerate() {
        let line: Value = serde_json::from_str(line).unwrap();
        let (path, class) =
            (line["path"].as_str().unwrap(), line["predictions"][0]["target"].as_u64().unwrap());
        let is_wrong = at % STEP == 7;
        writeln!(labels, "{path},{}", if is_wrong { (class + 1) % 1000 } else { class }).unwrap();
        wrong.extend(is_wrong.then(|| path.to_owned()));
    }
    std::fs::write(directory.join("labels.csv"), labels).unwrap();
    let explain = ["explain", "-m", model, "photos", "-o", "out", "--labels", "labels.csv"];
    burncam(directory, &[&explain[..], &["--report", "out/report.html", "--quiet", "--no-sync"]].concat());
    wrong
}

/// The text of a file that the browser saves.
fn saved(path: &Path) -> String {
    let start = Instant::now();
    loop {
        match std::fs::read_to_string(path) {
            Ok(text) if !text.is_empty() => return text,
            _ => assert!(start.elapsed().as_secs() < 20, "{} was not saved", path.display()),
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
#[ignore = "needs a browser: tests/browser/run"]
#[expect(clippy::print_stdout, reason = "the time is what a person runs this for")]
fn twenty_wrong_labels_of_five_hundred_are_taken_away_as_a_list() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = run_with_wrong_labels(folder.path());
    assert_eq!(wrong.len(), PICTURES / STEP);
    let downloads = folder.path().join("downloads");
    std::fs::create_dir(&downloads).unwrap();
    let address =
        format!("file://{}", folder.path().join("out/report.html").canonicalize().unwrap().display());

    let start = Instant::now();
    let browser = Browser::open(Screen::Light, &address);
    browser.save_into(&downloads);
    show(&browser, "mistakes");
    assert_eq!(browser.value(COUNT), wrong.len());
    choose(&browser, "sort", "probability, highest");
    // From the first to the last with the keyboard.
    browser.press(&[HOME, 'x', END, 'X']);
    assert_eq!(browser.value("document.querySelector('#picked-count').textContent"), "20 selected");
    browser.shot("selected");
    browser.run("document.querySelector('[data-save=txt]').click();");
    let text = saved(&downloads.join("selected.txt"));
    let took = start.elapsed();
    println!("20 wrong labels of 500, from opening the page to the file: {took:.1?}");
    assert!(took < Duration::from_secs(60), "{took:?}");
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), wrong.len());
    assert_eq!(lines.into_iter().collect::<BTreeSet<_>>(), wrong);
    the_other_formats(&browser, &downloads, &wrong);
    browser.assert_quiet();
}

fn the_other_formats(browser: &Browser, downloads: &Path, wrong: &BTreeSet<String>) {
    // Other filters do not change what is selected.
    show(browser, "right");
    browser.run("document.querySelector('[data-save=csv]').click();");
    let mut table = csv::Reader::from_reader(std::io::Cursor::new(saved(&downloads.join("selected.csv"))));
    assert_eq!(table.headers().unwrap(), vec!["path", "label", "predicted", "proba", "label_proba", "error"]);
    let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    assert_eq!(rows.iter().map(|row| row[0].to_owned()).collect::<BTreeSet<_>>(), *wrong);
    assert!(
        rows.iter().all(|row| row[1] != row[2] && row[3].parse::<f64>().unwrap() >= row[4].parse().unwrap())
    );
    browser.run("document.querySelector('[data-save=json]').click();");
    let list: Value = serde_json::from_str(&saved(&downloads.join("selected.json"))).unwrap();
    assert_eq!(list.as_array().unwrap().len(), wrong.len());
    assert_eq!(list[0]["label"], rows[0][1]);
    browser.run("document.querySelector('#unpick').click();");
    assert_eq!(browser.value("picked.hidden"), true);
}

#[test]
#[ignore = "needs a browser: tests/browser/run"]
fn pictures_are_selected_with_mouse_and_keyboard() {
    let browser = Browser::open(Screen::Light, &page("small", ""));
    let selected = "[...document.querySelectorAll('.card')].flatMap((card, at) => card.parentNode.querySelector('input').checked ? [at] : [])";
    let click = |at: usize, shift: bool| {
        browser.run(&format!(
            "document.querySelectorAll('.pick input')[{at}].dispatchEvent(new MouseEvent('click', {{ shiftKey: {shift}, bubbles: true, cancelable: true }}));"
        ));
    };
    click(2, false);
    click(5, true);
    assert_eq!(browser.value(selected), json!([2, 3, 4, 5]));
    click(3, false);
    assert_eq!(browser.value(selected), json!([2, 4, 5]));
    browser.run("document.querySelectorAll('.card')[8].dispatchEvent(new MouseEvent('click', { ctrlKey: true, bubbles: true }));");
    assert_eq!(browser.value(selected), json!([2, 4, 5, 8]));
    browser.run("document.querySelector('#unpick').click();");
    browser.press(&[HOME, 'x', END, 'X']);
    assert_eq!(browser.value(selected).as_array().unwrap().len(), 14, "failures, too");
    browser.press(&['a']);
    assert_eq!(browser.value(selected), json!([]), "all again take all out");
    show(&browser, "mistakes");
    browser.press(&['a']);
    show(&browser, "all");
    assert_eq!(browser.value(selected).as_array().unwrap().len(), 6);
    assert_eq!(browser.value(CARDS), 14);
    browser.run("document.querySelector('.card').click();");
    browser.wait_for("large.open");
    browser.press(&['x']);
    browser.wait_for("document.querySelector('#picked-count').textContent === '5 selected' || document.querySelector('#picked-count').textContent === '7 selected'");
    browser.assert_quiet();
}
