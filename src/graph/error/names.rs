//! Names as people write them: the one place where a name is looked up.
//!
//! Receives the names that there are and the one that was written; gives the value of the name that was meant. Papers, libraries
//! and file names spell one name in several ways, so case, hyphens, underscores and spaces do not count, and `++` is `pp`.

use super::{Error, Result};

/// The value whose name is `wanted`: exactly, in another spelling, or in the plural.
///
/// ```
/// use burncam_graph::error::by_name;
///
/// let kinds = || [("cut-out", 1), ("heatmap", 2)];
/// assert_eq!(by_name("output", "Cut_Out", kinds())?, 1);
/// assert_eq!(by_name("output", "heatmaps", kinds())?, 2);
/// assert_eq!(by_name("output", "heatmpa", kinds()).unwrap_err().nearest(), Some("heatmap"));
/// # Ok::<(), burncam_graph::Error>(())
/// ```
///
/// # Errors
/// When there is none, with the names that there are and the nearest.
pub fn by_name<'a, T>(
    kind: &'static str,
    wanted: &str,
    named: impl IntoIterator<Item = (&'a str, T)>,
) -> Result<T> {
    let mut named: Vec<(&str, T)> = named.into_iter().collect();
    let exactly = named.iter().position(|(name, _)| *name == wanted);
    match exactly.or_else(|| named.iter().position(|(name, _)| is_name(name, wanted))) {
        Some(at) => Ok(named.swap_remove(at).1),
        None => Err(Error::unknown(kind, wanted, named.iter().map(|(name, _)| *name))),
    }
}

/// Whether `wanted` is a spelling of `name`, or its plural.
#[must_use]
pub fn is_name(name: &str, wanted: &str) -> bool {
    let (name, wanted) = (plain(name), plain(wanted));
    // An empty name would be the plural's `s`, or nothing but punctuation.
    !name.is_empty() && (name == wanted || wanted.strip_suffix('s') == Some(&name))
}

/// A name without case and punctuation. Grad-CAM++ is also called GradCAMpp and GradcamPlusPlus.
fn plain(name: &str) -> String {
    let letters = name.to_lowercase().replace('+', "p");
    letters.chars().filter(|letter| letter.is_alphanumeric()).collect::<String>().replace("plusplus", "pp")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_in_every_usual_spelling() {
        for (name, wanted) in [
            ("gradcam", "Grad-CAM"),
            ("gradcampp", "GradCAM++"),
            ("gradcampp", "GradcamPlusPlus"),
            ("side-by-side", "side_by_side"),
            ("logit", "logits"),
            ("grey16", "GREY16"),
        ] {
            assert!(is_name(name, wanted), "{wanted}");
        }
        for (name, wanted) in
            [("gradcam", "gradcampp"), ("rise", "drise"), ("+", ""), ("", "s"), ("a", "ass")]
        {
            assert!(!is_name(name, wanted), "{wanted}");
        }
    }

    #[test]
    fn the_exact_name_comes_before_a_plural() {
        assert_eq!(by_name("kind", "classes", [("classe", 1), ("classes", 2)]).unwrap(), 2);
    }
}
