//! Receives the documents and reads every `burncam` command in them with the program's own arguments, so that none names an option
//! that is not there. Commands are not run here.

use std::path::{Path, PathBuf};

use clap::error::ErrorKind;

/// The documents that give commands to type.
fn documents() -> Vec<PathBuf> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = vec![top.join("README.md"), top.join("fixtures/README.md")];
    for folder in ["docs", "docs/recipes"] {
        let files = std::fs::read_dir(top.join(folder)).unwrap().map(|entry| entry.unwrap().path());
        found.extend(files.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    }
    // The changelog has options that are gone.
    found.retain(|path| !path.ends_with("CHANGELOG.md"));
    found
}

/// What is typed, and whether it is a whole command: the lines of `sh` blocks, those that a backslash continues as one, are; spans
/// of code that begin with the program may be the beginning of one.
fn lines(text: &str) -> Vec<(String, bool)> {
    let (mut found, mut language) = (Vec::new(), None);
    let mut begun = String::new();
    for line in text.lines() {
        if let Some(fence) = line.trim_start().strip_prefix("```") {
            language = if language.is_some() { None } else { Some(fence.to_owned()) };
        } else if language.as_deref() == Some("sh") {
            match line.strip_suffix('\\') {
                Some(first) => begun.push_str(first),
                None => found.push((std::mem::take(&mut begun) + line, true)),
            }
        } else if language.is_none() {
            let spans = line.split('`').skip(1).step_by(2);
            found.extend(
                spans.filter(|span| span.starts_with("burncam ")).map(|span| (span.to_owned(), false)),
            );
        }
    }
    found
}

/// The arguments of each call of the program in a line of a shell; variables and places of values have one.
fn calls(line: &str) -> Vec<Vec<String>> {
    let Some(words) = shlex::split(line) else { return Vec::new() };
    let mut found = Vec::new();
    let ends = |word: &String| {
        let word = word.as_str();
        matches!(word, "|" | "||" | "&&" | "&" | ";" | ":::")
            || word.starts_with(['>', '<'])
            || word.starts_with("2>")
    };
    for call in words.split(ends) {
        let program = call.iter().position(|word| word == "burncam" || word.ends_with("/burncam"));
        let Some(at) = program else { continue };
        // Before it only settings and programs that run others.
        let typed = call.iter().take(at).all(|word| {
            word.contains('=')
                || ["parallel", "xargs", "srun", "time"].contains(&word.as_str())
                || word.starts_with('-')
        });
        if typed && at + 1 < call.len() {
            found.push(call[at..].iter().map(|word| with_values(word)).collect());
        }
    }
    found
}

/// A word with each `$NAME`, `${NAME}` and `{}` as 1, and a value for the names of values that are a choice.
fn with_values(word: &str) -> String {
    match word {
        "SHELL" => return "bash".to_owned(),
        "COMMAND" => return "explain".to_owned(),
        _ => {}
    }
    let word = word.replace("{}", "1");
    let mut parts = word.split('$');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = match part.strip_prefix('{') {
            Some(braced) => braced.split_once('}').map_or("", |(_, rest)| rest),
            None => part.trim_start_matches(|letter: char| letter.is_ascii_alphanumeric() || letter == '_'),
        };
        out.push('1');
        out.push_str(rest);
    }
    out
}

/// Why the program does not understand a call, if so.
fn refusal(call: &[String], is_whole: bool) -> Option<String> {
    let error = crate::parsed(call.iter()).err()?;
    let expected = match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => true,
        ErrorKind::MissingRequiredArgument => !is_whole,
        // An option named without its value.
        ErrorKind::InvalidValue if !is_whole => error.to_string().contains("a value is required"),
        _ => false,
    };
    (!expected)
        .then(|| format!("{}: {}", call.join(" "), error.to_string().lines().next().unwrap_or_default()))
}

#[test]
fn every_command_in_the_documents_is_one_that_the_program_understands() {
    let (mut wrong, mut read) = (Vec::new(), 0);
    for path in documents() {
        let text = std::fs::read_to_string(&path).unwrap();
        for (line, is_whole) in lines(&text) {
            for call in calls(&line) {
                read += 1;
                wrong.extend(refusal(&call, is_whole).map(|why| format!("{}: {why}", path.display())));
            }
        }
    }
    assert!(read > 200, "{read} commands were found, expected more than 200");
    assert!(wrong.is_empty(), "{} of {read} commands are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn commands_are_found_in_blocks_and_in_spans() {
    let text = "Run `burncam info x.bpk`, not `burncam`.\n\n```sh\nA=1 burncam explain \\\n  a.png -o \"$X/${Y}\" > log # why\nls | burncam merge a\n```\n";
    let calls: Vec<String> =
        lines(text).iter().flat_map(|(line, _)| calls(line)).map(|call| call.join(" ")).collect();
    assert_eq!(calls, ["burncam info x.bpk", "burncam explain a.png -o 1/1", "burncam merge a"]);
}

/// The targets of links in a document that are in this repository.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets.filter(|target| !target.contains("://"))
}

/// The anchors that GitHub gives to the headings of a document.
fn anchors(text: &str) -> Vec<String> {
    let headings = text.split("```").step_by(2).flat_map(str::lines).filter(|line| line.starts_with('#'));
    let letters = |heading: &str| -> String {
        let plain = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        plain.chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, '-' | '_')).collect()
    };
    let mut found: Vec<String> = Vec::new();
    for plain in headings.map(letters) {
        let again = found.iter().filter(|one| **one == plain).count();
        found.push(plain.clone());
        if again > 0 {
            found.push(format!("{plain}-{again}"));
        }
    }
    found
}

#[test]
fn every_link_between_documents_leads_to_a_file_and_a_heading() {
    let mut dead = Vec::new();
    for path in documents() {
        let text = std::fs::read_to_string(&path).unwrap();
        // Code has brackets of its own.
        let prose: String = text.split("```").step_by(2).collect();
        for link in links(&prose) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            let found = target.exists()
                && (anchor.is_empty()
                    || anchors(&std::fs::read_to_string(&target).unwrap()).iter().any(|one| one == anchor));
            if !found {
                dead.push(format!("{}: {link}", path.display()));
            }
        }
    }
    assert!(dead.is_empty(), "{}", dead.join("\n"));
}

#[test]
fn every_document_is_in_the_table_of_contents() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let contents = std::fs::read_to_string(docs.join("README.md")).unwrap();
    let listed: Vec<PathBuf> = links(&contents).map(|link| docs.join(link)).collect();
    let missing = |path: &PathBuf| {
        path.starts_with(&docs) && !path.ends_with("docs/README.md") && !listed.contains(path)
    };
    assert_eq!(documents().into_iter().filter(missing).collect::<Vec<_>>(), Vec::<PathBuf>::new());
}
