//! Debug information (DWARF) of programs and libraries: parameters of functions, types by name, places of source lines.
//!
//! In: a file, perhaps stripped, and what a script wants of it. Out: plain data for the compiler. Only units that hold what is asked for
//! are looked into; names of types that stand nowhere in the file cost one search for their text. Corrupt debug information tells
//! nothing; it never stops anybody. Source of the form: the DWARF standard, versions 2 to 5.

mod functions;
mod image;
mod inflate;
mod lines;
mod names;
mod separate;
mod types;
mod units;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;

use bpf::btf::TypeId;
use lang::needs::SourceLine;
use lang::target::{Types, UserFunction, WrongLine};

pub use image::Image;
use units::{At, UnitId, Units};

/// A file with its debug information, wherever that lies.
#[derive(Debug)]
pub struct Debug {
    /// The program, where another file has its debug information.
    program: Option<Image>,
    image: Image,
}

/// Types of a program, and which of them are its functions', by their offsets into the file.
#[derive(Debug)]
pub struct Described {
    /// All that were wanted.
    pub types: Types,
    /// The functions.
    pub functions: HashMap<u64, TypeId>,
}

impl Debug {
    /// Opens a file and, where it is stripped, its debug file; `folders` are more places to look for that.
    pub fn open(path: &Path, folders: &[String]) -> Option<Self> {
        let image = Image::open(path).ok()??;
        if image.is_described() {
            return Some(Self { program: None, image });
        }
        match separate::find(path, &image, folders) {
            Some(separate) => Some(Self { program: Some(image), image: separate }),
            None => Some(Self { program: None, image }),
        }
    }

    /// Whether there is any debug information.
    pub fn is_described(&self) -> bool {
        self.image.is_described()
    }

    /// The functions that a stripped program's debug file names, or a small file within the program, by their offsets into the program.
    pub fn separate_functions(&self) -> Vec<UserFunction> {
        let program = self.program();
        let named = if self.program.is_some() { self.image.functions() } else { self.image.functions_within() };
        let place = |(name, address, size)| {
            let offset = program.offset_of_code(address)?;
            Some(UserFunction { name, offset, size, ..UserFunction::default() })
        };
        named.into_iter().filter_map(place).collect()
    }

    fn program(&self) -> &Image {
        self.program.as_ref().unwrap_or(&self.image)
    }

    /// The types of functions, by their names and offsets into the file, and those that the script names. `None` where it tells none.
    ///
    /// `mentioned` are names of members: what those point to is wanted as well.
    pub fn describe(
        &self,
        functions: &[(&str, u64)],
        named: &BTreeSet<String>,
        mentioned: &BTreeSet<String>,
    ) -> Option<Described> {
        let units = Units::of(self.image.dwarf());
        let mut types = types::Types::new(&units, mentioned);
        let program = self.program();
        let addresses: HashMap<u64, (&str, u64)> = functions
            .iter()
            .filter_map(|(name, offset)| Some((program.address_at(*offset)?, (*name, *offset))))
            .collect();
        let mut described = HashMap::new();
        let mut near: Vec<UnitId> = Vec::new();
        let found = if addresses.is_empty() { HashMap::new() } else { functions::at(&units, &keys(&addresses)) };
        for (address, at) in found {
            let Some((name, offset)) = addresses.get(&address) else { continue };
            described.insert(*offset, types.function(at, name));
            near.push(at.unit);
        }
        near.sort();
        near.dedup();
        let mut names = named.clone();
        let mut looked_for = BTreeSet::new();
        // What is found may be made of what is only declared there.
        loop {
            names.extend(types.complete());
            let new: BTreeSet<String> = names.difference(&looked_for).cloned().collect();
            if new.is_empty() {
                break;
            }
            let found: Vec<At> = names::find(&units, &new, &near);
            looked_for.extend(new);
            found.into_iter().for_each(|at| types.named(at));
        }
        if types.is_empty() {
            return None;
        }
        Some(Described { types: Types::new(types.finish()?), functions: described })
    }

    /// Where the code of a line begins, as addresses of the program.
    ///
    /// # Errors
    /// Says why there is none.
    pub fn line(&self, name: &str, wanted: &SourceLine) -> Result<Vec<u64>, WrongLine> {
        let wrong = |why: String, help: String| Err(WrongLine { wanted: wanted.clone(), why, help });
        if !self.is_described() {
            return wrong(
                format!("No DWARF debug info found for '{name}', cannot attach by source code location."),
                "build it with -g or install its debug package".to_owned(),
            );
        }
        let units = Units::of(self.image.dwarf());
        let program = self.program();
        match lines::find(&units, wanted, |address| program.offset_of_code(address).is_some()) {
            lines::Found::Code(addresses) => Ok(addresses),
            lines::Found::Ambiguous(files) => wrong(
                format!("Ambiguous source path, matches multiple files: {}", files.join(", ")),
                "write more of the path".to_owned(),
            ),
            lines::Found::NoFile(files) => wrong(
                format!("No compilation unit matches {}", wanted.file),
                format!("it was made from {} and perhaps others", files.join(", ")),
            ),
            lines::Found::NoCode(before, after) => {
                let near: Vec<String> = before.into_iter().chain(after).map(|line| line.to_string()).collect();
                wrong(
                    format!("Unable to map '{wanted}' to address"),
                    match near.is_empty() {
                        true => "no code was made from that file".to_owned(),
                        false => {
                            format!("no code was made from that line; the nearest lines with code: {}", near.join(", "))
                        }
                    },
                )
            }
        }
    }
}

fn keys<V>(of: &HashMap<u64, V>) -> HashSet<u64> {
    of.keys().copied().collect()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// A program in C with its debug information, where there is a compiler.
    fn compiled(folder: &Path, flags: &[&str]) -> Option<Vec<u8>> {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/user_programs/shop.c");
        let path = folder.join("shop");
        match Command::new("gcc").args(["-g", "-O0", "-no-pie"]).args(flags).arg("-o").arg(&path).arg(source).status() {
            Ok(status) => assert!(status.success()),
            Err(error) => {
                println!("SKIP: gcc: {error}");
                return None;
            }
        }
        Some(std::fs::read(path).expect("the program"))
    }

    /// Asks everything there is to ask of a file of these contents.
    fn ask(folder: &Path, contents: &[u8]) -> Option<Described> {
        let path = folder.join("copy");
        std::fs::write(&path, contents).expect("a file");
        let functions = crate::user::functions(&path, &[]).unwrap_or_default();
        let named: Vec<(&str, u64)> = functions.iter().map(|f| (f.name.as_str(), f.offset)).collect();
        let debug = Debug::open(&path, &[])?;
        let names = BTreeSet::from(["order".to_owned(), "wide".to_owned()]);
        let members = BTreeSet::from(["next".to_owned()]);
        let _ = debug.line("copy", &SourceLine { file: "shop.c".to_owned(), line: 50, column: 0 });
        debug.describe(&named, &names, &members)
    }

    /// Bytes that look random and are the same each time.
    fn noise(seed: u64) -> impl FnMut() -> u64 {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        }
    }

    #[test]
    fn a_program_without_defects_is_described_whole_in_every_version() {
        let folder = tempfile::tempdir().expect("a folder");
        for flags in
            [["-gdwarf-3", "-O0"], ["-gdwarf-4", "-O1"], ["-gdwarf-5", "-O1"], ["-gdwarf-4", "-fdebug-types-section"]]
        {
            let Some(contents) = compiled(folder.path(), &flags) else { return };
            let found = ask(folder.path(), &contents).expect("types");
            let order = found.types.find_struct("order").expect("a struct");
            let member = |name| found.types.member(order, name).map(|m| (m.bit_offset, m.bit_width));
            assert_eq!(member("tries"), Some((33, Some(7))), "{flags:?}");
            assert_eq!(member("bytes"), Some((256, None)), "{flags:?}");
            let next = found.types.member(order, "next").and_then(|m| found.types.pointee(m.ty));
            assert_eq!(next.map(|next| found.types.resolve(next)), Some(order), "{flags:?}");
            assert!(found.functions.len() >= 4, "{flags:?} {:?}", found.functions);
        }
    }

    #[test]
    fn packed_debug_information_is_read_as_any_other() {
        let folder = tempfile::tempdir().expect("a folder");
        if compiled(folder.path(), &[]).is_none() {
            return;
        }
        for packing in ["zlib", "zstd"] {
            let (program, packed) = (folder.path().join("shop"), folder.path().join(packing));
            let flag = format!("--compress-debug-sections={packing}");
            if !tool("objcopy", &[flag.as_ref(), program.as_ref(), packed.as_ref()]) {
                println!("SKIP: objcopy {flag}");
                continue;
            }
            let contents = std::fs::read(packed).expect("the packed program");
            assert!(ask(folder.path(), &contents).expect("types").types.find_struct("order").is_some(), "{packing}");
        }
    }

    #[test]
    fn functions_are_found_in_the_small_file_that_a_stripped_program_carries() {
        let folder = tempfile::tempdir().expect("a folder");
        if compiled(folder.path(), &["-static-libgcc"]).is_none() {
            return;
        }
        let [program, symbols, packed] = ["shop", "symbols", "symbols.xz"].map(|name| folder.path().join(name));
        let section = format!(".gnu_debugdata={}", packed.display());
        let made = tool("objcopy", &["--only-keep-debug".as_ref(), program.as_ref(), symbols.as_ref()])
            && tool("objcopy", &["--strip-debug".as_ref(), symbols.as_ref()])
            && tool("xz", &["--keep".as_ref(), symbols.as_ref()])
            && tool("strip", &[program.as_ref()]);
        if !made {
            println!("SKIP: objcopy, strip or xz");
            return;
        }
        let names = |folders: &[String]| -> Vec<String> {
            let found = crate::user::functions(&program, folders).expect("functions");
            found.into_iter().map(|function| function.name).collect()
        };
        assert!(!names(&[]).contains(&"main".to_owned()));
        assert!(tool("objcopy", &["--add-section".as_ref(), section.as_ref(), program.as_ref()]));
        assert!(names(&[]).contains(&"main".to_owned()), "{:?}", names(&[]));
    }

    /// Whether a tool is there and did its work.
    fn tool(name: &str, arguments: &[&std::ffi::OsStr]) -> bool {
        Command::new(name).args(arguments).status().is_ok_and(|status| status.success())
    }

    #[test]
    fn a_program_that_is_cut_off_or_corrupt_never_panics() {
        let folder = tempfile::tempdir().expect("a folder");
        let Some(contents) = compiled(folder.path(), &[]) else { return };
        for part in 1..40 {
            let end = contents.len() * part / 40;
            ask(folder.path(), &contents[..end]);
        }
        let start = memchr::memmem::find(&contents, b"shop.c").unwrap_or(0).min(contents.len() / 2);
        for seed in 0..300 {
            let mut random = noise(seed);
            let mut corrupt = contents.clone();
            for _ in 0..1 + seed % 24 {
                let at = start + random() as usize % (contents.len() - start);
                corrupt[at] = random() as u8;
            }
            ask(folder.path(), &corrupt);
        }
    }
}
