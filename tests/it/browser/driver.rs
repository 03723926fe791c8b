//! A browser, driven: the W3C WebDriver protocol spoken to a running chromedriver, over plain HTTP.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Host and port of chromedriver.
const ADDRESS: &str = "WEBDRIVER";

/// A folder for screenshots; none are kept without it.
const SHOTS: &str = "BURNCAM_SHOTS";

/// A browser that has not answered after so long never will.
const PATIENCE: Duration = Duration::from_secs(60);

/// Keys as the protocol writes them.
pub(super) const ENTER: char = '\u{e007}';
pub(super) const ESCAPE: char = '\u{e00c}';
pub(super) const LEFT: char = '\u{e012}';
pub(super) const UP: char = '\u{e013}';
pub(super) const RIGHT: char = '\u{e014}';
pub(super) const DOWN: char = '\u{e015}';
pub(super) const END: char = '\u{e010}';
pub(super) const HOME: char = '\u{e011}';

/// What the browser pretends to be.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Screen {
    Light,
    Dark,
    Phone,
}

/// A browser with one window, closed when dropped.
pub(super) struct Browser {
    session: String,
    _profile: tempfile::TempDir,
}

impl Browser {
    pub(super) fn open(screen: Screen, page: &str) -> Self {
        let profile = tempfile::tempdir().unwrap();
        let profile_argument = format!("--user-data-dir={}", profile.path().display());
        let mut options = json!({ "args": [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
            "--disable-background-networking", "--disable-component-update", "--disable-sync", "--window-size=1440,1000",
            profile_argument,
        ]});
        if screen == Screen::Phone {
            options["mobileEmulation"] =
                json!({ "deviceMetrics": { "width": 390, "height": 844, "pixelRatio": 2 } });
        }
        let wanted = json!({ "goog:chromeOptions": options, "goog:loggingPrefs": { "browser": "ALL" } });
        let made = request("POST", "/session", Some(json!({ "capabilities": { "alwaysMatch": wanted } })));
        let browser = Self { session: made["sessionId"].as_str().unwrap().to_owned(), _profile: profile };
        if screen == Screen::Dark {
            let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": "dark" }] });
            browser.command("Emulation.setEmulatedMedia", &media);
        }
        browser.visit(page);
        browser
    }

    pub(super) fn visit(&self, page: &str) {
        self.post("url", json!({ "url": page }));
        if page.starts_with("file:") {
            // The page's data is unpacked after it has loaded.
            self.wait_for("performance.getEntriesByName('ready').length === 1");
        }
    }

    /// What an expression gives.
    pub(super) fn value(&self, expression: &str) -> Value {
        self.run(&format!("return ({expression});"))
    }

    /// Runs statements.
    pub(super) fn run(&self, script: &str) -> Value {
        self.post("execute/sync", json!({ "script": script, "args": [] }))
    }

    /// Waits until an expression is true.
    pub(super) fn wait_for(&self, expression: &str) {
        let start = Instant::now();
        while self.value(expression) != json!(true) {
            assert!(start.elapsed() < Duration::from_secs(20), "not in 20 seconds: {expression}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(super) fn press(&self, keys: &[char]) {
        let actions: Vec<Value> = keys
            .iter()
            .flat_map(|key| {
                ["keyDown", "keyUp"].map(|kind| json!({ "type": kind, "value": key.to_string() }))
            })
            .collect();
        self.post("actions", json!({ "actions": [{ "type": "key", "id": "keys", "actions": actions }] }));
    }

    /// A command of Chrome's own protocol.
    fn command(&self, name: &str, parameters: &Value) {
        self.post("goog/cdp/execute", json!({ "cmd": name, "params": parameters }));
    }

    /// Saves files there, without asking.
    pub(super) fn save_into(&self, folder: &Path) {
        let parameters = json!({ "behavior": "allow", "downloadPath": folder });
        self.command("Browser.setDownloadBehavior", &parameters);
    }

    /// A finger moved across the screen.
    pub(super) fn swipe(&self, from: i32, to: i32) {
        let touch = |kind: &str, points: Value| {
            self.command("Input.dispatchTouchEvent", &json!({ "type": kind, "touchPoints": points }));
        };
        touch("touchStart", json!([{ "x": from, "y": 300 }]));
        for x in [(from + to) / 2, to] {
            touch("touchMove", json!([{ "x": x, "y": 302 }]));
        }
        touch("touchEnd", json!([]));
    }

    /// A picture of the window, for debugging.
    pub(super) fn shot(&self, name: &str) {
        let Some(folder) = std::env::var_os(SHOTS).map(PathBuf::from) else { return };
        let encoded = request("GET", &format!("/session/{}/screenshot", self.session), None);
        let bytes = data_encoding::BASE64.decode(encoded.as_str().unwrap().as_bytes()).unwrap();
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{name}.png")), bytes).unwrap();
    }

    /// Nothing was said on the console, policy violations and files not found among it.
    pub(super) fn assert_quiet(&self) {
        let log = self.post("se/log", json!({ "type": "browser" }));
        assert_eq!(log, json!([]), "the console");
    }

    fn post(&self, command: &str, body: Value) -> Value {
        request("POST", &format!("/session/{}/{command}", self.session), Some(body))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            request("DELETE", &format!("/session/{}", self.session), None);
        }
    }
}

/// One request, on a connection of its own.
fn request(method: &str, path: &str, body: Option<Value>) -> Value {
    let address =
        std::env::var(ADDRESS).unwrap_or_else(|_| panic!("{ADDRESS} is not set (run tests/browser/run)"));
    let mut stream = TcpStream::connect(&address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let body = body.map(|body| body.to_string()).unwrap_or_default();
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap();
        }
    }
    let mut answer = vec![0; length];
    reader.read_exact(&mut answer).unwrap();
    let mut answer: Value = serde_json::from_slice(&answer).unwrap();
    let value = answer["value"].take();
    assert!(value["error"].is_null(), "{method} {path}: {}: {}", value["error"], value["message"]);
    value
}
