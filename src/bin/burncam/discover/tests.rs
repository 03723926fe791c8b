//! Which inputs are found, in which order, and how often.

use clap::Parser as _;
use proptest::prelude::*;

use super::*;
use crate::args::{Cli, Command};

/// A folder with empty files.
fn folder(names: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in names {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "").unwrap();
    }
    folder
}

/// As on the command line; `~` stands for the folder.
fn find(folder: &tempfile::TempDir, arguments: &str) -> Result<Found> {
    let root = folder.path().to_str().unwrap();
    let words = arguments.split(' ').map(|word| word.replace('~', root));
    let cli = Cli::try_parse_from(["burncam".to_owned(), "predict".to_owned()].into_iter().chain(words))?;
    let Command::Predict(args) = cli.command else { bail!("another command") };
    discover(&args.inputs)
}

/// Paths below the folder.
fn names(folder: &tempfile::TempDir, arguments: &str) -> Vec<String> {
    let found = find(folder, arguments).unwrap().inputs;
    let below =
        |input: &Input| input.path.strip_prefix(folder.path()).unwrap().to_string_lossy().into_owned();
    found.iter().map(below).collect()
}

fn refusal(folder: &tempfile::TempDir, arguments: &str) -> String {
    format!("{:#}", find(folder, arguments).unwrap_err()).replace(folder.path().to_str().unwrap(), "~")
}

#[test]
fn what_an_earlier_run_made_is_known_by_its_records_and_photographs_may_be_called_anything() {
    let names_all =
        ["a.png", "a.gradcam.png", "a.gradcam.7.mask.png", "b.gradcam.png", "c.grid.png", "d.random.png"];
    let folder = folder(&names_all);
    let made = |file: &str| format!(r#"{{ "kind": "overlay", "file": "{file}" }}"#);
    let record = format!(
        r#"{{ "schema_version": 2, "targets": [{{ "artifacts": [{}, {}] }}] }}"#,
        made("a.gradcam.png"),
        made("a.gradcam.7.mask.png")
    );
    std::fs::write(folder.path().join("a.gradcam.json"), record).unwrap();
    assert_eq!(names(&folder, "~"), ["a.png", "b.gradcam.png", "c.grid.png", "d.random.png"]);
    assert_eq!(find(&folder, "~").unwrap().left.line().as_deref(), Some("2 .png made by burncam"));
}

#[test]
fn what_looks_like_a_picture_and_is_not_taken_is_counted() {
    let folder = folder(&[
        "a.JFIF",
        "b.jpe",
        "c.apng",
        "d.pam",
        "e.avif",
        "q/f.AVIF",
        "g.svg",
        "notes.txt",
        ".h.png",
        ".i/j.png",
        "k.png",
    ]);
    std::fs::write(folder.path().join("without"), b"\xFF\xD8\xFF\xE0....").unwrap();
    std::fs::write(folder.path().join("README"), "text").unwrap();
    let line = |arguments: &str| find(&folder, arguments).unwrap().left.line();
    assert_eq!(names(&folder, "~"), ["a.JFIF", "b.jpe", "c.apng", "d.pam", "k.png"]);
    let expected = "2 .avif, 1 .svg, 1 without ending not read; 1 .png, 1 directory hidden";
    assert_eq!(line("~").as_deref(), Some(expected));
    assert_eq!(line("~ --shard 1/2").as_deref(), Some(expected), "for every shard");
    assert_eq!(line("~/*.png").as_deref(), None, "a glob is about what it matches");
    assert_eq!(line("~/*.png ~/*.a*").as_deref(), Some("1 .avif not read"));
    assert_eq!(
        line("~ --exclude k.* --exclude q/*").as_deref(),
        Some(
            "1 .avif, 1 .svg, 1 without ending not read; 1 .avif, 1 .png left out; 1 .png, 1 directory hidden"
        )
    );
    assert_eq!(
        line("~ --include k.png --no-recursive").as_deref(),
        Some("1 .apng, 1 .avif, 1 .jfif, 1 .jpe, 1 .pam, 1 .svg left out; 1 .png, 1 directory hidden")
    );
    let nothing = refusal(&folder, "~/q");
    assert!(nothing.starts_with("no pictures found in '~/q': 1 .avif not read ("), "{nothing}");
}

#[test]
fn names_of_outputs_follow_from_the_whole_list() {
    let folder = folder(&["p/a.jpg", "p/a.png", "p/b.jpg", "p/q/a.gif", "x/c.jpg", "y/c.jpg"]);
    let outputs = |arguments: &str| {
        let found = find(&folder, arguments).unwrap().inputs;
        let output = |input: &Input| input.place.join(&input.name).to_string_lossy().into_owned();
        found.iter().map(output).collect::<Vec<_>>()
    };
    assert_eq!(outputs("~/p"), ["a.jpg", "a.png", "b", "q/a"]);
    let mut parts: Vec<String> = (1..=3).flat_map(|k| outputs(&format!("~/p --shard {k}/3"))).collect();
    parts.sort();
    assert_eq!(parts, outputs("~/p"), "shards come to the same names");
    let root = folder.path().strip_prefix("/").unwrap().to_str().unwrap();
    assert_eq!(outputs("~/x ~/y ~/p/b.jpg"), [format!("{root}/x/c"), format!("{root}/y/c"), "b".to_owned()]);
}

#[test]
fn directories_come_in_order_of_path_and_what_is_named_as_it_is_named() {
    let folder =
        folder(&["p/b/2.jpg", "p/b/1.JPG", "p/a.png", "p/b.png", "p/b/.x.jpg", "p/.h/y.jpg", "z.odd"]);
    assert_eq!(names(&folder, "~/z.odd ~/p"), ["z.odd", "p/a.png", "p/b/1.JPG", "p/b/2.jpg", "p/b.png"]);
    assert_eq!(names(&folder, "~/p --no-recursive"), ["p/a.png", "p/b.png"]);
    assert_eq!(names(&folder, "~/p/.h ~/p/b/.x.jpg"), ["p/.h/y.jpg", "p/b/.x.jpg"], "hidden, but named");
    let found = find(&folder, "~/p").unwrap();
    assert_eq!((found.searched, found.total), (true, 4));
    assert_eq!(found.inputs[1].below, Path::new("b"));
    assert_eq!(found.inputs[1].relative(), Path::new("b/1.JPG"));
    let found = find(&folder, "~/z.odd ~/missing.jpg").unwrap();
    assert_eq!((found.searched, found.total), (false, 2), "what is missing fails when it is read");
    assert_eq!(found.inputs[0].relative(), folder.path().join("z.odd"));
}

#[test]
fn include_replaces_the_known_endings_and_exclude_wins() {
    let folder = folder(&["a.jpg", "b.avif", "raw/c.avif", "raw/deep/d.jpg", "thumbs/e.jpg"]);
    assert_eq!(names(&folder, "~ --include *.avif"), ["b.avif", "raw/c.avif"]);
    assert_eq!(names(&folder, "~ --include *.avif --include a.* --exclude raw/*"), ["a.jpg", "b.avif"]);
    assert_eq!(names(&folder, "~ --exclude thumbs/**"), ["a.jpg", "raw/deep/d.jpg"]);
    assert_eq!(names(&folder, "~ --exclude raw/*"), ["a.jpg", "raw/deep/d.jpg", "thumbs/e.jpg"]);
    assert_eq!(names(&folder, "~ --include raw/**/*.jpg"), ["raw/deep/d.jpg"]);
    assert_eq!(names(&folder, "~/thumbs/e.jpg --exclude *"), ["thumbs/e.jpg"], "it was named");
}

#[test]
fn a_glob_is_searched_for_below_its_first_wildcard() {
    let folder = folder(&[
        "p/a.jpg",
        "p/b.png",
        "p/c.dat",
        "p/x/d.jpg",
        "p/x/.e.jpg",
        "p/.h/f.jpg",
        "p/y/z/g.jpg",
        "p/[1].jpg",
    ]);
    assert_eq!(names(&folder, "~/p/?.jpg"), ["p/a.jpg"]);
    assert_eq!(names(&folder, "~/p/**/*.jpg"), ["p/[1].jpg", "p/a.jpg", "p/x/d.jpg", "p/y/z/g.jpg"]);
    assert_eq!(names(&folder, "~/p/**/*.jpg --exclude x/*"), ["p/[1].jpg", "p/a.jpg", "p/y/z/g.jpg"]);
    assert_eq!(names(&folder, "~/p/*.dat"), ["p/c.dat"], "the ending was asked for");
    assert_eq!(names(&folder, "~/p/[a-c]*"), ["p/a.jpg", "p/b.png"]);
    assert_eq!(
        names(&folder, "~/p/[xy]"),
        ["p/x/d.jpg", "p/y/z/g.jpg"],
        "directories that match are searched"
    );
    assert_eq!(names(&folder, "~/p/[xy] --no-recursive"), ["p/x/d.jpg"]);
    assert_eq!(names(&folder, "~/p/*/.e.*"), ["p/x/.e.jpg"], "hidden names are spelled out");
    assert_eq!(names(&folder, "~/p/.h*/*"), ["p/.h/f.jpg"]);
    assert_eq!(names(&folder, "~/p/**/.h/*.jpg"), ["p/.h/f.jpg"]);
    assert_eq!(names(&folder, "~/p/[1].jpg"), ["p/[1].jpg"], "a file of that very name");
    assert_eq!(find(&folder, "~/p/**/g.jpg").unwrap().inputs[0].below, Path::new("y/z"));
    assert_eq!(names(&folder, "~/p/[.jpg"), ["p/[.jpg"], "no glob, so a file that is missing");
}

#[test]
fn each_file_comes_once() {
    let folder = folder(&["p/a.jpg", "p/q/b.jpg"]);
    assert_eq!(names(&folder, "~/p/./a.jpg ~/p/a.jpg"), ["p/./a.jpg"]);
    assert_eq!(names(&folder, "~/p/q/../a.jpg ~/p"), ["p/q/../a.jpg", "p/q/b.jpg"]);
    assert_eq!(names(&folder, "~/p ~/p/q ~/p/q/b.jpg ~/p/**/*.jpg"), ["p/a.jpg", "p/q/b.jpg"]);
    assert_eq!(find(&folder, "- -").unwrap().total, 1);
}

#[test]
fn nothing_found_is_told_in_words() {
    let folder = folder(&["p/a.jpg", "empty/notes.txt", "deep/er/a.jpg"]);
    assert_eq!(
        refusal(&folder, "~/p ~/empty"),
        "no pictures found in '~/empty' (name files outright if their endings are unusual)"
    );
    assert!(refusal(&folder, "~/p --exclude *").ends_with("(check --include and --exclude)"));
    assert!(refusal(&folder, "~/deep --no-recursive").contains("leave out --no-recursive"));
    assert!(refusal(&folder, "~/p/*.png").starts_with("no pictures match '~/p/*.png'"));
    assert!(refusal(&folder, "~ --include a**b").contains("got 'a**b'"));
}

#[test]
fn a_list_is_taken_word_by_word() {
    let folder = folder(&["p/a.jpg", "p/q/b.jpg", "p/*.odd", "empty/notes.txt"]);
    let root = folder.path().to_str().unwrap();
    let list = folder.path().join("list");
    let lines = ["p/q/b.jpg", "p/*.odd", "p/*.jpg", "p", "empty", "./p/a.jpg"];
    let text = lines.map(|line| format!("{root}/{line}")).join("\r\n");
    std::fs::write(&list, &text).unwrap();
    let expected = ["p/a.jpg", "p/q/b.jpg", "p/*.odd", "p/*.jpg"];
    let searched = "--files-from ~/list --search-listed";
    assert_eq!(names(&folder, &format!("~/p/a.jpg {searched}")), expected, "no globs, no repetition");
    let found = find(&folder, "--files-from ~/list").unwrap();
    let problems: Vec<&str> = found.inputs.iter().filter_map(|input| input.problem.as_deref()).collect();
    assert_eq!(problems.len(), 2, "directories fail by themselves: {problems:?}");
    assert!(
        problems[0].ends_with("is a directory, which lists may not name (search it with --search-listed)")
    );
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    std::fs::write(&list, [&[0xFF, 0xFE], &utf16[..]].concat()).unwrap();
    assert_eq!(find(&folder, "--files-from ~/list").unwrap().inputs, found.inputs);
    std::fs::write(&list, utf16).unwrap();
    assert_eq!(find(&folder, "--files-from ~/list").unwrap().inputs, found.inputs, "without a mark");
    std::fs::write(&list, "/\n").unwrap();
    let root_of_all = find(&folder, searched).unwrap().inputs.remove(0).problem.unwrap();
    assert!(root_of_all.starts_with("image '/': is the root directory"), "{root_of_all}");
    assert!(found.searched);
    assert_eq!(Path::new("/").join(&found.inputs[0].below), folder.path().join("p/q"), "as the list has it");
    std::fs::write(&list, format!("{root}/empty")).unwrap();
    assert!(refusal(&folder, searched).starts_with("no pictures found in the directories"));
    assert!(refusal(&folder, "- --files-from -").contains("both a list and a picture"));
    assert!(refusal(&folder, "--no-recursive").contains("INPUT"), "something has to be named");
}

#[cfg(unix)]
#[test]
fn names_need_not_be_text() {
    use std::os::unix::ffi::OsStrExt as _;
    let folder = folder(&["list"]);
    let odd = OsStr::from_bytes(b"caf\xE9.jpg");
    let Ok(()) = std::fs::write(folder.path().join(odd), "") else { return };
    let bytes = [folder.path().as_os_str().as_bytes(), b"/", odd.as_bytes()].concat();
    std::fs::write(folder.path().join("list"), bytes).unwrap();
    for arguments in ["~", "~/*.jpg", "~ --include caf?.jpg", "--files-from ~/list"] {
        let found = find(&folder, arguments).unwrap();
        assert_eq!(found.inputs[0].path.file_name(), Some(odd), "{arguments}");
    }
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_loops_survived() {
    let folder = folder(&["p/a.jpg", "other/b.jpg", "p/q/c.jpg"]);
    let link = |to: &str, at: &str| {
        std::os::unix::fs::symlink(folder.path().join(to), folder.path().join(at)).unwrap();
    };
    link("p", "p/q/up");
    link("p/self", "p/self");
    link("nowhere", "p/dangling.jpg");
    link("nowhere", "p/lost");
    link("nowhere", "p/notes.txt");
    link("other", "p/z");
    link("other/b.jpg", "p/b-linked.jpg");
    let expected =
        ["p/a.jpg", "p/b-linked.jpg", "p/dangling.jpg", "p/lost", "p/q/c.jpg", "p/self", "p/z/b.jpg"];
    assert_eq!(names(&folder, "~/p"), expected);
    let jpg = ["p/a.jpg", "p/b-linked.jpg", "p/dangling.jpg", "p/q/c.jpg", "p/z/b.jpg"];
    assert_eq!(names(&folder, "~/p/**/*.jpg"), jpg);
    let found = find(&folder, "~/p").unwrap().inputs;
    let failing: Vec<bool> = found.iter().map(|input| input.problem.is_some()).collect();
    assert_eq!(
        failing,
        [false, false, true, true, false, true, false],
        "links that lead nowhere fail by themselves"
    );
}

#[test]
fn a_shard_may_be_empty_and_knows_how_many_there_are() {
    let folder = folder(&["a/x.jpg", "b/x.jpg", "y.jpg"]);
    let parts: Vec<Found> = (1..=64).map(|k| find(&folder, &format!("~ --shard {k}/64")).unwrap()).collect();
    assert!(parts.iter().any(|part| part.inputs.is_empty()));
    assert!(parts.iter().all(|part| part.total == 3));
    for input in parts.iter().flat_map(|part| &part.inputs) {
        let sole = input.name == "y";
        assert_eq!(input.sole_of_its_name, sole, "{input:?}: seen over all parts, whichever this is");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn shards_divide_what_is_found_without_regard_to_order_or_company(
        names in prop::collection::btree_set("[a-c]/[a-z]{1,6}", 1..24),
        count in 1..9_u64,
    ) {
        let names: Vec<String> = names.iter().map(|name| format!("{name}.jpg")).collect();
        let all = folder(&names.iter().map(String::as_str).collect::<Vec<_>>());
        let whole: Vec<PathBuf> = find(&all, "~").unwrap().inputs.iter().map(Input::relative).collect();
        let mut parts: Vec<(u64, PathBuf)> = (1..=count)
            .flat_map(|k| find(&all, &format!("~ --shard {k}/{count}")).unwrap().inputs.into_iter().map(move |i| (k, i.relative())))
            .collect();
        parts.sort_by(|a, b| a.1.cmp(&b.1));
        prop_assert_eq!(parts.iter().map(|(_, path)| path.clone()).collect::<Vec<_>>(), whole);
        let (part, path) = &parts[0];
        let alone = folder(&[path.to_str().unwrap()]);
        prop_assert_eq!(find(&alone, &format!("~ --shard {part}/{count}")).unwrap().inputs.len(), 1);
    }
}
