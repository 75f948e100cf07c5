//! Several files as one script: what `import "name";` brings in.
//!
//! The script and what it imports become one text, one file behind the other, and one tree over it: every span tells a file and a place in
//! it. Finding and reading files is left to the caller.

use crate::ast::{Preamble, Script};
use crate::diagnostic::Diagnostic;
use crate::parse::{MAX_BYTES, parse};
use crate::render;
use crate::span::{Span, Spanned};

/// A script and the files it imports.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    text: String,
    files: Vec<File>,
}

/// One of them.
#[derive(Clone, Debug)]
struct File {
    name: String,
    /// Where in the whole text it starts.
    start: usize,
}

impl Sources {
    /// A script by itself.
    pub fn new(name: &str, text: &str) -> Self {
        Self { text: text.to_owned(), files: vec![File { name: name.to_owned(), start: 0 }] }
    }

    /// All files, one behind the other.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Adds a file, by the name messages call it, to the end of the text; its tree, whose spans are those in the whole text.
    ///
    /// # Errors
    /// What is wrong with its form.
    pub fn add(&mut self, name: &str, text: &str) -> Result<Script, Vec<Diagnostic>> {
        self.text.push('\n');
        let start = self.text.len();
        self.files.push(File { name: name.to_owned(), start });
        // The first line of a program that is run by its name is for the shell.
        let text = if text.starts_with("#!") { text.replacen("#!", "//", 1) } else { text.to_owned() };
        self.text.push_str(&text);
        if self.text.len() > MAX_BYTES {
            let span = Span { start: start as u32, end: start as u32 };
            return Err(vec![Diagnostic::error("E0117", span, "the script is too large with what it imports")]);
        }
        let script = parse(&("\n".repeat(start) + &text))?;
        match script.config.first() {
            Some(item) => {
                let message = "a file that is imported has no config block";
                Err(vec![Diagnostic::error("E0119", item.key.span, message).help("set it in the script itself")])
            }
            None => Ok(script),
        }
    }

    /// The form people read, with each finding in its own file; codes are left out where programs read it.
    pub fn render(&self, found: &[Diagnostic], codes: bool) -> String {
        let render = if codes { render::terminal } else { render::without_codes };
        let [single] = self.files.as_slice() else {
            return found.iter().map(|finding| self.in_its_file(finding, render)).collect();
        };
        render(&single.name, &self.text, found)
    }

    fn in_its_file(&self, finding: &Diagnostic, render: fn(&str, &str, &[Diagnostic]) -> String) -> String {
        let at = self.files.iter().rposition(|file| file.start <= finding.span.start as usize).unwrap_or(0);
        let (name, start) = self.files.get(at).map_or(("", 0), |file| (file.name.as_str(), file.start));
        // The newline that parts them belongs to neither.
        let end = self.files.get(at + 1).map_or(self.text.len(), |next| next.start - 1);
        let own = |span: Span| Span {
            start: span.start.saturating_sub(start as u32),
            end: span.end.saturating_sub(start as u32),
        };
        let is_inside = |span: &Span| (start..end).contains(&(span.start as usize));
        let mut finding = finding.clone();
        finding.related.retain(|(span, _)| is_inside(span));
        finding.related.iter_mut().for_each(|(span, _)| *span = own(*span));
        finding.span = own(finding.span);
        render(name, self.text.get(start..end).unwrap_or_default(), &[finding])
    }
}

/// The files a script imports, in its order; none of them is left in it.
pub fn take_imports(script: &mut Script) -> Vec<Spanned<String>> {
    let mut imports = vec![];
    script.preamble.retain(|item| match item {
        Preamble::Import(name) => {
            imports.push(name.clone());
            false
        }
        Preamble::Directive(_) | Preamble::Definition(_) => true,
    });
    imports
}

/// Puts what was imported in front of a script: its probes come first.
pub fn merge(script: &mut Script, imported: Script) {
    let Script { config: _, preamble, map_decls, macros, probes } = imported;
    script.preamble.splice(0..0, preamble);
    script.map_decls.splice(0..0, map_decls);
    script.macros.splice(0..0, macros);
    script.probes.splice(0..0, probes);
}

/// What is to be said of an import that nobody has read.
pub(crate) fn unread(script: &Script) -> Option<Diagnostic> {
    script.preamble.iter().find_map(|item| match item {
        Preamble::Import(name) => Some(
            Diagnostic::error("E0119", name.span, format!("`{}` is not imported here", name.node))
                .help("only `bpfleet run` reads other files: put into the script what it needs of them"),
        ),
        Preamble::Directive(_) | Preamble::Definition(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_imported_comes_first_and_is_told_by_its_own_place() {
        let main = "import \"a.bt\";\nbegin { twice(2) }";
        let mut sources = Sources::new("main.bt", main);
        let mut script = parse(main).unwrap();
        let names: Vec<String> = take_imports(&mut script).into_iter().map(|name| name.node).collect();
        assert_eq!(names, ["a.bt"]);
        let text = "#!/usr/bin/bpftrace\nmacro twice(x) { print(x * 2); }\nend { print($missing); }";
        let imported = sources.add("a.bt", text).unwrap();
        merge(&mut script, imported);
        assert_eq!((script.probes.len(), script.macros.len()), (2, 1));
        let found =
            crate::check(sources.text(), &script, &crate::target::Target::generic(), &crate::Options::default());
        let told = sources.render(&found, true);
        assert!(told.starts_with("a.bt:3:13-21: ERROR: undefined variable `$missing` [E0203]\nend {"), "{told}");
    }

    #[test]
    fn what_cannot_be_imported_is_told_in_its_file() {
        let mut sources = Sources::new("main.bt", "begin { }");
        let found = sources.add("a.bt", "config = { max_strlen = 9 }").unwrap_err();
        assert!(sources.render(&found, true).starts_with("a.bt:1:12-22: ERROR: a file that is imported has no config"));
        let found = sources.add("b.bt", "\nbegin { 1 + }").unwrap_err();
        assert!(sources.render(&found, true).starts_with("b.bt:2:"));
        let alone = parse("import \"x.bt\"; begin { }").unwrap();
        let found = crate::check("", &alone, &crate::target::Target::generic(), &crate::Options::default());
        assert_eq!(found.first().map(|finding| finding.code), Some("E0119"));
    }
}
