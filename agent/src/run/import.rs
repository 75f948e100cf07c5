//! The files a script imports: found beside the script that names them, read, and put together with it.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use lang::ast::Script;
use lang::diagnostic::Diagnostic;
use lang::import::{FileId, Sources, merge};
use lang::span::{Span, Spanned};

/// The bit of a folder's mode that lets everybody write into it.
const WRITTEN_BY_ALL: u32 = 0o002;
/// What a folder's mode says where only a file's owner may replace it.
const STICKY: u32 = 0o1000;

/// Parses a script with what it imports, and what that imports, each file once.
///
/// # Errors
/// A file that is not there, of another kind, or wrong in its form.
pub fn read(name: &str, sources: &mut Sources) -> Result<Script, Vec<Diagnostic>> {
    let folder = Path::new(name).parent().map(Path::to_path_buf).unwrap_or_default();
    Reader { sources, seen: BTreeSet::new() }.script(Sources::MAIN, &folder)
}

struct Reader<'a> {
    sources: &'a mut Sources,
    seen: BTreeSet<PathBuf>,
}

impl Reader<'_> {
    /// A file of `folder` behind what it imports.
    fn script(&mut self, file: FileId, folder: &Path) -> Result<Script, Vec<Diagnostic>> {
        let mut imported = vec![];
        for import in self.sources.imports(file) {
            for path in files(&import, folder)? {
                imported.extend(self.file(&path, import.span)?);
            }
        }
        let mut script = self.sources.parse(file)?;
        // Each is put in front: the first comes first in the end.
        imported.into_iter().rev().for_each(|imported| merge(&mut script, imported));
        Ok(script)
    }

    /// One file with what it imports; nothing where it was read before.
    fn file(&mut self, path: &Path, span: Span) -> Result<Option<Script>, Vec<Diagnostic>> {
        let wrong = |message: String| vec![Diagnostic::error("E0119", span, message)];
        let unreadable =
            |error: std::io::Error| wrong(format!("`{}` cannot be read: {}", path.display(), plain(&error)));
        if !self.seen.insert(path.canonicalize().map_err(unreadable)?) {
            return Ok(None);
        }
        let folder = path.parent().unwrap_or(Path::new(""));
        let of_folder = fs::metadata(if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
        let mode = of_folder.map_err(unreadable)?.permissions().mode();
        if mode & WRITTEN_BY_ALL != 0 && mode & STICKY == 0 {
            return Err(wrong(format!("`{}` is not imported: everybody may write into its folder", path.display())));
        }
        let text = fs::read_to_string(path).map_err(unreadable)?;
        let file = self.sources.add(&path.display().to_string(), &text)?;
        self.script(file, folder).map(Some)
    }
}

/// The files that an import stands for: one, or those of a folder in the order of their names.
fn files(import: &Spanned<String>, folder: &Path) -> Result<Vec<PathBuf>, Vec<Diagnostic>> {
    let wrong = |message: String, help: &str| vec![Diagnostic::error("E0119", import.span, message).help(help)];
    let path = folder.join(&import.node);
    if path.is_dir() {
        let entries = fs::read_dir(&path).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut files: Vec<PathBuf> = entries.filter(|path| is_script(path) && path.is_file()).collect();
        files.sort();
        return Ok(files);
    }
    if !path.exists() {
        let message = format!("there is no `{}` to import", import.node);
        return Err(wrong(
            message,
            &format!("it would be {}: names are relative to the file that imports", path.display()),
        ));
    }
    if !is_script(&path) {
        let message = format!("`{}` cannot be imported", import.node);
        return Err(wrong(message, "scripts (.bt) and their types (.h) can; C that is to be compiled (.bpf.c) cannot"));
    }
    Ok(vec![path])
}

fn is_script(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "bt" || extension == "h")
}

fn plain(error: &std::io::Error) -> String {
    error.to_string().split(" (os error").next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads `import "..";` of a script in a folder: how many probes it has then, or what is said.
    fn imported(folder: &Path, name: &str) -> Result<usize, String> {
        let text = format!("import \"{name}\";\nbegin {{ }}");
        let main = folder.join("main.bt").display().to_string();
        let mut sources = Sources::new(&main, &text);
        read(&main, &mut sources).map(|script| script.probes.len()).map_err(|found| sources.render(&found, true))
    }

    #[test]
    fn files_are_found_beside_the_one_that_imports_them_and_read_once() {
        let folder = tempfile::tempdir().unwrap();
        let more = folder.path().join("more");
        fs::create_dir(&more).unwrap();
        fs::write(folder.path().join("a.bt"), "import \"more/b.bt\"; end { }").unwrap();
        fs::write(more.join("b.bt"), "import \"../a.bt\"; import \"c.h\"; interval:s:1 { }").unwrap();
        fs::write(more.join("c.h"), "struct c { int d; };").unwrap();
        fs::write(more.join("notes.txt"), "no script").unwrap();
        assert_eq!(imported(folder.path(), "a.bt"), Ok(3));
        assert_eq!(imported(folder.path(), "more"), Ok(3));
    }

    #[test]
    fn what_cannot_be_imported_is_told() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("c.bpf.c"), "int f() { return 1; }").unwrap();
        let open = folder.path().join("open");
        fs::create_dir(&open).unwrap();
        fs::write(open.join("a.bt"), "end { }").unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
        for (name, told) in [
            ("none.bt", "there is no `none.bt` to import [E0119]"),
            ("c.bpf.c", "`c.bpf.c` cannot be imported [E0119]"),
            ("open/a.bt", "everybody may write into its folder [E0119]"),
        ] {
            let error = imported(folder.path(), name).unwrap_err();
            assert!(error.contains(told) && error.contains("main.bt:1:8-"), "{error}");
        }
    }
}
