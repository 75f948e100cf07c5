//! Writes what fuzzing starts from: a corpus of every script of the language's cases, of `examples/` and of the descriptions of
//! functions, builtins and probes, and a dictionary of every name and operator the language has.
//!
//! `seeds DIRECTORY` makes `DIRECTORY/corpus` and `DIRECTORY/tokens.dict`.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Names that are in no table: keywords, types and directives.
const WORDS: &str = "if else while for unroll let macro import config struct union enum typedef sizeof offsetof typeof typeinfo \
    break continue return true false begin end uint8 uint16 uint32 uint64 int8 int16 int32 int64 bool string buffer char void \
    const unsigned signed short int long inet macaddr ustack kstack usym ksym hash lruhash percpuhash percpulruhash percpuarray \
    #define #undef #ifdef #ifndef #if #elif #else #endif #include #error __attribute__((packed)) defined BPFTRACE_HAVE_BTF \
    print_maps_on_exit max_map_keys max_strlen stack_mode missing_probes license args retval arg0 $1 $# $x $kv.0 @ @x @m[0] \
    += -= *= /= %= &= |= ^= <<= >>= << >> == != <= >= && || ++ -- -> .. ?: /* */ // \\n 0x 1e3 5s 10ms -1 255 4294967296 \
    9223372036854775807 18446744073709551615 %d %llx %s %-5d %r (struct (uint8) (int32[2])";

fn main() -> io::Result<()> {
    let Some(directory) = std::env::args_os().nth(1).map(PathBuf::from) else {
        return Err(io::Error::other("say which directory to write to"));
    };
    let corpus = directory.join("corpus");
    fs::create_dir_all(&corpus)?;
    let scripts = scripts()?;
    for (index, script) in scripts.iter().enumerate() {
        fs::write(corpus.join(format!("seed{index:04}")), script)?;
    }
    let words = words();
    let lines: Vec<String> = words.iter().map(|word| format!("\"{}\"\n", escaped(word))).collect();
    fs::write(directory.join("tokens.dict"), lines.concat())?;
    println!("{} scripts, {} tokens", scripts.len(), words.len());
    Ok(())
}

fn scripts() -> io::Result<BTreeSet<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut scripts = BTreeSet::new();
    for folder in ["findings", "format", "outline"] {
        for file in fs::read_dir(root.join("lang/tests/cases").join(folder))? {
            let text = format!("\n{}", fs::read_to_string(file?.path())?);
            let cases = text.split("\n== ").filter_map(|case| case.split_once("\n--")?.0.split_once('\n'));
            scripts.extend(cases.map(|(_, script)| script.to_owned()));
        }
    }
    for file in fs::read_dir(root.join("examples"))? {
        let path = file?.path();
        if path.extension().is_some_and(|extension| extension == "bt") {
            scripts.insert(fs::read_to_string(path)?);
        }
    }
    let functions = lang::function::ALL.iter().map(|function| function.example);
    let builtins = lang::builtin::ALL.iter().map(|builtin| builtin.example);
    let providers = lang::provider::ALL.iter().map(|provider| provider.example);
    scripts.extend(functions.chain(builtins).chain(providers).map(str::to_owned));
    Ok(scripts)
}

fn words() -> BTreeSet<String> {
    let functions = lang::function::ALL.iter().map(|function| format!("{}(", function.name));
    let builtins = lang::builtin::ALL.iter().map(|builtin| builtin.name.to_owned());
    let providers = lang::provider::ALL.iter().map(|provider| format!("{}:", provider.name));
    functions.chain(builtins).chain(providers).chain(WORDS.split_whitespace().map(str::to_owned)).collect()
}

fn escaped(word: &str) -> String {
    word.replace('\\', "\\\\").replace('"', "\\\"")
}
