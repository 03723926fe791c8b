//! Text in the encoding of PDF's standard fonts: Windows code page 1252 (PDF 1.7, annex D.2).

/// Characters from 0x80 to 0x9f; spaces stand for codes without one.
const UPPER: &str = "€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž  ‘’“”•–—˜™š›œ žŸ";

/// The text as a string of a content stream, in parentheses. What the fonts do not have is a question mark.
pub(super) fn string(text: &str) -> Vec<u8> {
    let mut out = vec![b'('];
    for character in text.chars() {
        let code = code(character);
        if matches!(code, b'(' | b')' | b'\\') {
            out.push(b'\\');
        }
        out.push(code);
    }
    out.push(b')');
    out
}

fn code(character: char) -> u8 {
    match character {
        ' '..='~' | '\u{a0}'..='\u{ff}' => character as u8,
        // The minus sign, which the fonts know as a dash only.
        '−' => 0x96,
        _ => UPPER.chars().position(|upper| upper == character).map_or(b'?', |at| 0x80 + at as u8),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn western_letters_have_their_codes_and_others_are_question_marks() {
        assert_eq!(string("Å(1)\\"), b"(\xc5\\(1\\)\\\\)");
        assert_eq!(string("…–—’€Ÿž"), b"(\x85\x96\x97\x92\x80\x9f\x9e)");
        assert_eq!(string("−1 漢\n"), b"(\x961 ??)");
        assert_eq!(UPPER.chars().count(), 32);
    }
}
