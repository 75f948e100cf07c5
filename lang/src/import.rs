//! Several files as one script: what `import "name";` brings in.
//!
//! The script and what it imports become one text, one file behind the other, and one tree over it: every span tells a file and a place in
//! it. Finding and reading files is left to the caller.

use crate::ast::{Preamble, Script};
use crate::diagnostic::Diagnostic;
use crate::parse::{Defines, MAX_BYTES, imports_from, parse_from};
use crate::render;
use crate::span::{Span, Spanned};

/// A script and the files it imports.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    text: String,
    files: Vec<File>,
    /// What the files that were parsed so far define.
    defines: Defines,
}

/// One of them.
#[derive(Clone, Debug)]
struct File {
    name: String,
    /// Where in the whole text it starts.
    start: usize,
    /// How many lines stand before it.
    lines_before: u32,
}

/// Index of a file in [`Sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileId(usize);

/// A line of one of the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// What messages call the file.
    pub file: &'a str,
    /// The file's text.
    pub text: &'a str,
    /// Which line of the file it is, from 1.
    pub number: u32,
}

impl Sources {
    /// The script itself, whose file is [`Sources::MAIN`].
    pub const MAIN: FileId = FileId(0);

    /// A script by itself.
    pub fn new(name: &str, text: &str) -> Self {
        let main = File { name: name.to_owned(), start: 0, lines_before: 0 };
        Self { text: text.to_owned(), files: vec![main], defines: Defines::new() }
    }

    /// All files, one behind the other.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Adds a file, by the name messages call it, to the end of the text.
    ///
    /// # Errors
    /// All files together are too large.
    pub fn add(&mut self, name: &str, text: &str) -> Result<FileId, Vec<Diagnostic>> {
        self.text.push('\n');
        let start = self.text.len();
        let lines_before = memchr::memchr_iter(b'\n', self.text.as_bytes()).count() as u32;
        self.files.push(File { name: name.to_owned(), start, lines_before });
        self.text.push_str(text);
        if self.text.len() > MAX_BYTES {
            let span = Span { start: start as u32, end: start as u32 };
            return Err(vec![Diagnostic::error("E0117", span, "the script is too large with what it imports")]);
        }
        Ok(FileId(self.files.len() - 1))
    }

    /// What a file imports, whatever else is wrong with it.
    pub fn imports(&self, file: FileId) -> Vec<Spanned<String>> {
        let (start, end) = self.bounds(file.0);
        imports_from(self.text.get(..end).unwrap_or_default(), start, &self.defines)
    }

    /// A file's tree without its imports; its spans are those in the whole text. The `#define`s of files that were parsed before hold in
    /// it, so what it imports is to be parsed first.
    ///
    /// # Errors
    /// What is wrong with its form.
    pub fn parse(&mut self, file: FileId) -> Result<Script, Vec<Diagnostic>> {
        let (start, end) = self.bounds(file.0);
        let mut script = parse_from(self.text.get(..end).unwrap_or_default(), start, &mut self.defines)?;
        script.preamble.retain(|item| !matches!(item, Preamble::Import(_)));
        match script.config.first() {
            Some(item) if file != Self::MAIN => {
                let message = "a file that is imported has no config block";
                Err(vec![Diagnostic::error("E0119", item.key.span, message).help("set it in the script itself")])
            }
            _ => Ok(script),
        }
    }

    /// The file that a line of the whole text, from 1, belongs to.
    pub fn line(&self, line: u32) -> Line<'_> {
        let at = self.files.iter().rposition(|file| file.lines_before < line).unwrap_or(0);
        let (start, end) = self.bounds(at);
        let (file, before) = self.files.get(at).map_or(("", 0), |file| (file.name.as_str(), file.lines_before));
        Line { file, text: self.text.get(start..end).unwrap_or_default(), number: line.saturating_sub(before) }
    }

    /// Where in the whole text a file starts and ends. The newline that parts two files belongs to neither.
    fn bounds(&self, file: usize) -> (usize, usize) {
        let start = self.files.get(file).map_or(0, |file| file.start);
        (start, self.files.get(file + 1).map_or(self.text.len(), |next| next.start - 1))
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
        let name = self.files.get(at).map_or("", |file| file.name.as_str());
        let (start, end) = self.bounds(at);
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

    /// A script and the one file that it imports, as one tree.
    fn together(main: &str, (name, imported): (&str, &str)) -> (Sources, Result<Script, Vec<Diagnostic>>) {
        let mut sources = Sources::new("main.bt", main);
        let names: Vec<String> = sources.imports(Sources::MAIN).into_iter().map(|name| name.node).collect();
        assert_eq!(names, [name]);
        let script = sources.add(name, imported).and_then(|file| sources.parse(file)).and_then(|imported| {
            let mut script = sources.parse(Sources::MAIN)?;
            merge(&mut script, imported);
            Ok(script)
        });
        (sources, script)
    }

    fn check(sources: &Sources, script: &Script) -> Vec<Diagnostic> {
        crate::check(sources.text(), script, &crate::target::Target::generic(), &crate::Options::default())
    }

    #[test]
    fn what_is_imported_comes_first_and_is_told_by_its_own_place() {
        let text = "#!/usr/bin/bpftrace\nmacro twice(x) { print(x * 2); }\nend { print($missing); }";
        let (sources, script) = together("import \"a.bt\";\nbegin { twice(2) }", ("a.bt", text));
        let script = script.unwrap();
        assert_eq!((script.probes.len(), script.macros.len()), (2, 1));
        let told = sources.render(&check(&sources, &script), true);
        assert!(told.starts_with("a.bt:3:13-21: ERROR: undefined variable `$missing` [E0203]\nend {"), "{told}");
    }

    #[test]
    fn what_an_imported_file_defines_is_known_to_the_script() {
        let defines = "#define LIMIT 3\n#define twice(x) ((x) * 2)\n#define number uint32\n";
        let main = "import \"a.h\";\n#ifdef LIMIT\nbegin { print(twice(LIMIT)); print((number)1); }\n#endif";
        let (sources, script) = together(main, ("a.h", defines));
        let script = script.unwrap();
        assert_eq!((script.probes.len(), check(&sources, &script)), (1, vec![]));
    }

    #[test]
    fn a_line_is_found_in_its_file() {
        let mut sources = Sources::new("main.bt", "one\ntwo");
        sources.add("a.bt", "three\nfour\n").unwrap();
        sources.add("b.bt", "five").unwrap();
        let found = [1, 2, 3, 4, 6].map(|line| {
            let Line { file, text, number } = sources.line(line);
            (file, text.lines().nth(number as usize - 1).unwrap())
        });
        let a = "a.bt";
        assert_eq!(found, [("main.bt", "one"), ("main.bt", "two"), (a, "three"), (a, "four"), ("b.bt", "five")]);
    }

    #[test]
    fn what_cannot_be_imported_is_told_in_its_file() {
        let (sources, script) = together("import \"a.bt\";", ("a.bt", "config = { max_strlen = 9 }"));
        let told = sources.render(&script.unwrap_err(), true);
        assert!(told.starts_with("a.bt:1:12-22: ERROR: a file that is imported has no config"), "{told}");
        let (sources, script) = together("import \"b.bt\";", ("b.bt", "\nbegin { 1 + }"));
        assert!(sources.render(&script.unwrap_err(), true).starts_with("b.bt:2:"));
        let alone = crate::parse("import \"x.bt\"; begin { }").unwrap();
        assert_eq!(check(&Sources::default(), &alone).first().map(|finding| finding.code), Some("E0119"));
    }
}
