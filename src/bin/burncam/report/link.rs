//! Relative URLs from the page to files, so that both can be moved together.

use std::io;
use std::path::{Component, Path, PathBuf};

use burncam::internal::output;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

/// Everything except RFC 3986's unreserved characters. More than a path segment requires, never less.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The absolute directory of a page.
///
/// # Errors
/// When the current directory is unknown.
pub(crate) fn folder_of(page: &Path) -> io::Result<PathBuf> {
    let mut folder = std::path::absolute(page)?;
    folder.pop();
    Ok(folder)
}

/// The URL of `file` relative to a page in `folder`, from [`folder_of`]. `None` when there is none.
pub(crate) fn relative(folder: &Path, file: &Path) -> Option<String> {
    let path = output::relative(folder, file)?;
    let encoded = |part: Component<'_>| match part {
        Component::ParentDir => "..".to_owned(),
        part => percent_encode(part.as_os_str().as_encoded_bytes(), RESERVED).to_string(),
    };
    Some(path.components().map(encoded).collect::<Vec<_>>().join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(page: &str, file: &str) -> String {
        relative(&folder_of(Path::new(page)).unwrap(), Path::new(file)).unwrap()
    }

    #[test]
    fn addresses_lead_from_the_page_to_the_file() {
        assert_eq!(from("/a/out/report.html", "/a/out/cats/1.png"), "cats/1.png");
        assert_eq!(from("/a/out/report.html", "/a/photos/1.jpg"), "../photos/1.jpg");
        assert_eq!(from("/report.html", "/a/1.jpg"), "a/1.jpg");
        assert_eq!(from("report.html", "photos/1.jpg"), "photos/1.jpg");
        assert_eq!(from("out/../out/report.html", "./photos/../1.jpg"), "../1.jpg");
    }

    #[test]
    fn no_name_can_break_out_of_an_address() {
        assert_eq!(from("/r.html", "/a b/50%#?.png"), "a%20b/50%25%23%3F.png");
        assert_eq!(from("/r.html", "/javascript:x"), "javascript%3Ax", "no scheme");
        assert_eq!(
            from("/r.html", "/\"'<script>&\\\u{e9}"),
            "%22%27%3Cscript%3E%26%5C%C3%A9",
            "nothing that HTML or a browser reads otherwise"
        );
    }

    #[cfg(unix)]
    #[test]
    fn names_that_are_no_text_and_links_below_dots_are_followed() {
        use std::os::unix::ffi::OsStrExt as _;
        let latin1 = Path::new(std::ffi::OsStr::from_bytes(b"/caf\xe9.png"));
        assert_eq!(relative(Path::new("/"), latin1).unwrap(), "caf%E9.png");

        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        std::fs::create_dir_all(root.join("deep/down")).unwrap();
        std::os::unix::fs::symlink(root.join("deep/down"), root.join("link")).unwrap();
        assert_eq!(relative(&root, &root.join("link/1.jpg")).unwrap(), "link/1.jpg");
        assert_eq!(relative(&root, &root.join("link/../1.jpg")).unwrap(), "deep/1.jpg");
    }
}
