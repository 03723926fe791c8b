//! Escapes text from files for a terminal or a sheet: control sequences and invisible characters are spelled out.
//!
//! Class names, layer names, cards, paths and parser messages may contain escape sequences, line breaks and
//! characters that change the text direction. Receives such text, returns one visible line. The labels of a sheet
//! and everything that the command prints pass through here.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Invisible characters: Unicode's format characters (category Cf), line and paragraph separators, and fillers
/// without a glyph. Inclusive ranges in ascending order. They include the joiners that emoji and some scripts need;
/// [`is_needed`] allows those.
const UNSEEN: &[(char, char)] = &[
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{600}', '\u{605}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{6dd}', '\u{6dd}'),
    ('\u{70f}', '\u{70f}'),
    ('\u{890}', '\u{891}'),
    ('\u{8e2}', '\u{8e2}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{110bd}', '\u{110bd}'),
    ('\u{110cd}', '\u{110cd}'),
    ('\u{13430}', '\u{1343f}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e0fff}'),
];

/// The text as one visible line, with `\n`, `\x1b`, `\u{202e}` in place of invisible characters.
pub fn escaped(text: &str) -> Cow<'_, str> {
    rewritten(text, |out, character| {
        // Writing to a string cannot fail.
        let _ = match character {
            '\n' | '\r' | '\t' => write!(out, "{}", character.escape_default()),
            '\0'..='\x7f' => write!(out, "\\x{:02x}", u32::from(character)),
            _ => write!(out, "{}", character.escape_unicode()),
        };
    })
}

/// Equivalent JSON in which the same characters are JSON escapes. Line breaks between tokens stay.
pub fn escaped_json(json: &str) -> Cow<'_, str> {
    rewritten(json, |out, character| match character {
        // A raw line break is always between tokens: JSON strings cannot contain control characters.
        '\n' => out.push('\n'),
        _ => {
            // JSON escapes have four digits; characters beyond those are pairs of surrogates.
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    })
}

fn rewritten(text: &str, spell: impl Fn(&mut String, char)) -> Cow<'_, str> {
    let mut out = String::new();
    let mut copied = 0;
    let mut before = None;
    for (at, character) in text.char_indices() {
        let end = at + character.len_utf8();
        if is_unseen(character) && !is_needed(character, before, text[end..].chars().next()) {
            out.push_str(&text[copied..at]);
            spell(&mut out, character);
            copied = end;
        }
        before = Some(character);
    }
    // Nearly every text is clean, and then nothing is copied.
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

fn is_unseen(character: char) -> bool {
    // The table is sorted and has no overlaps, so only the first range that ends here or later can hold the
    // character.
    let at = UNSEEN.partition_point(|(_, last)| *last < character);
    character.is_control() || UNSEEN.get(at).is_some_and(|(first, _)| *first <= character)
}

/// Whether an invisible character is meaningful here: a joiner between two characters of an emoji or of a non-ASCII
/// script, or a variation selector after its character.
fn is_needed(character: char, before: Option<char>, after: Option<char>) -> bool {
    let is_seen = |character: char| !is_unseen(character) && !character.is_whitespace();
    match character {
        '\u{200c}' | '\u{200d}' => {
            before.is_some_and(|before| !before.is_ascii() && (is_seen(before) || is_variant(before)))
                && after.is_some_and(|after| !after.is_ascii() && is_seen(after))
        }
        _ => is_variant(character) && before.is_some_and(is_seen),
    }
}

/// Whether a character is a variation selector.
fn is_variant(character: char) -> bool {
    matches!(character, '\u{180b}'..='\u{180d}' | '\u{180f}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_stays_as_it_is() {
        let ordinary = [
            "espresso, 95.1 %",
            "Größe/Ærø/naïve.png",
            "e\u{301}te\u{301}.jpg", // as macOS writes accents
            "Screenshot at 3.04\u{202f}PM.png",
            "東京\u{3000}タワー.jpg",
            "עברית العربية हिन्दी",
            "\u{646}\u{645}\u{6cc}\u{200c}\u{62e}\u{648}\u{627}\u{647}\u{645}", // Persian, with its joiner
            "👩\u{200d}🔬 ❤\u{fe0f}\u{200d}🔥 1\u{fe0f}\u{20e3} 👍🏽",
            r"C:\photos\new.png",
            "",
        ];
        for text in ordinary {
            assert!(matches!(escaped(text), Cow::Borrowed(same) if same == text), "{text:?}");
        }
    }

    #[test]
    fn what_steers_a_terminal_or_hides_is_spelt_out() {
        let cases = [
            ("\u{1b}[31mred", r"\x1b[31mred"),
            ("\u{1b}]0;title\u{7}", r"\x1b]0;title\x07"),
            ("\u{9b}2J\u{85}", r"\u{9b}2J\u{85}"),
            ("a\r\nb\tc\u{b}\u{c}\u{7f}", r"a\r\nb\tc\x0b\x0c\x7f"),
            ("cat\u{202e}gpj.exe", r"cat\u{202e}gpj.exe"),
            ("\u{2066}x\u{2069}\u{200e}\u{200f}\u{61c}", r"\u{2066}x\u{2069}\u{200e}\u{200f}\u{61c}"),
            ("a\u{2028}b\u{2029}", r"a\u{2028}b\u{2029}"),
            ("ca\u{200b}t\u{feff}\u{ad}\u{2060}", r"ca\u{200b}t\u{feff}\u{ad}\u{2060}"),
            ("c\u{200d}at \u{200c}", r"c\u{200d}at \u{200c}"),
            ("\u{fe0f}a\u{fe0f}\u{fe0f}", "\\u{fe0f}a\u{fe0f}\\u{fe0f}"),
            ("\u{e0041}\u{3164}", r"\u{e0041}\u{3164}"),
            ("\0", r"\x00"),
        ];
        for (text, expected) in cases {
            assert_eq!(escaped(text), expected);
            assert_eq!(escaped(expected), expected, "what is spelt out stays so");
        }
    }

    #[test]
    fn every_control_and_bidirectional_character_is_unseen() {
        for code in (0..0x20).chain(0x7f..0xa0).chain(0x202a..0x202f).chain(0x2066..0x206a) {
            let character = char::from_u32(code).unwrap();
            assert!(is_unseen(character), "{character:?}");
            assert!(!escaped(&format!("é{character}é")).contains(character), "{character:?}");
        }
        assert!(UNSEEN.is_sorted_by(|(_, last), (first, _)| last < first));
    }

    #[test]
    fn json_keeps_its_value_and_its_lines() {
        let value =
            serde_json::json!({ "name": "\u{1b}[0m\u{9b}\u{7f}\u{202e}\u{e0041}\u{2028} é 👩\u{200d}🔬" });
        for json in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            let safe = escaped_json(&json);
            assert_eq!(serde_json::from_str::<serde_json::Value>(&safe).unwrap(), value);
            assert_eq!(safe.lines().count(), json.lines().count());
            assert!(safe.contains(r"\u009b\u007f\u202e\udb40\udc41\u2028 é"), "{safe}");
            assert!(safe.chars().all(|character| character == '\n' || !character.is_control()));
        }
    }
}
