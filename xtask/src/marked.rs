//! Generated parts of documents that people write: the text between `<!-- generated: NAME -->` and
//! `<!-- end of NAME -->` belongs to a chore, everything else is left alone.

use anyhow::{Context, Result};

/// `document` with the part `name` replaced by `text`.
///
/// # Errors
/// When the document has no such part.
pub fn replace(document: &str, name: &str, text: &str) -> Result<String> {
    let (start, end) = (format!("<!-- generated: {name} -->\n"), format!("<!-- end of {name} -->\n"));
    let (before, rest) = document.split_once(&start).with_context(|| format!("no line `{}`", start.trim_end()))?;
    let (_, after) = rest.split_once(&end).with_context(|| format!("no line `{}`", end.trim_end()))?;
    Ok(format!("{before}{start}\n{}\n\n{end}{after}", text.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_named_part_is_replaced() {
        let document = "# A\n<!-- generated: x -->\nold\n<!-- end of x -->\nown words\n";
        let replaced = replace(document, "x", "new\n").unwrap();
        assert_eq!(replaced, "# A\n<!-- generated: x -->\n\nnew\n\n<!-- end of x -->\nown words\n");
        assert_eq!(replace(&replaced, "x", "new").unwrap(), replaced);
        assert!(replace(document, "y", "new").is_err());
    }
}
