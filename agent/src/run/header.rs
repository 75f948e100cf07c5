//! The headers a script includes: their types come from the kernel's BTF, but one that is nowhere is a mistake.

use std::path::{Path, PathBuf};

use lang::ast::{Preamble, Script};

/// Where a C compiler looks.
const SYSTEM: [&str; 4] =
    ["/usr/local/include", "/usr/include", "/usr/include/x86_64-linux-gnu", "/usr/include/aarch64-linux-gnu"];

/// Directories of the kernel's own headers, whose types BTF tells.
const OF_KERNEL: [&str; 30] = [
    "acpi",
    "asm",
    "asm-generic",
    "clocksource",
    "crypto",
    "drm",
    "generated",
    "keys",
    "kunit",
    "linux",
    "math-emu",
    "media",
    "memory",
    "misc",
    "net",
    "pcmcia",
    "ras",
    "rdma",
    "scsi",
    "soc",
    "sound",
    "sys",
    "target",
    "trace",
    "uapi",
    "ufs",
    "vdso",
    "video",
    "xen",
    "bits",
];

/// What a C compiler says about the first header that is nowhere.
pub fn missing(script: &Script, source: &str, directories: &[PathBuf]) -> Option<String> {
    script.preamble.iter().find_map(|item| {
        let Preamble::Directive(text) = item else { return None };
        let rest = text.node.trim_start().strip_prefix('#')?.trim_start().strip_prefix("include")?.trim();
        let quoted = rest.starts_with('"');
        let name = rest.strip_prefix(['<', '"'])?.split(['>', '"']).next()?;
        if is_somewhere(name, quoted, directories) {
            return None;
        }
        let before = source.get(..text.span.start as usize).unwrap_or_default();
        // A compiler sees the definitions behind a line of its own.
        let line = before.matches('\n').count() + 2;
        let column = text.node.find(['<', '"']).unwrap_or_default() + 1;
        Some(format!("definitions.h:{line}:{column}: fatal error: '{name}' file not found\n"))
    })
}

fn is_somewhere(name: &str, quoted: bool, directories: &[PathBuf]) -> bool {
    let of_kernel = name.split_once('/').is_some_and(|(first, _)| OF_KERNEL.contains(&first));
    let here = quoted.then(|| Path::new("."));
    let places = here.into_iter().chain(directories.iter().map(PathBuf::as_path)).chain(SYSTEM.iter().map(Path::new));
    // What the C library brings is known to the compiler, and may not be installed where nothing is compiled.
    of_kernel || !name.contains('/') && !quoted || places.into_iter().any(|place| place.join(name).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing_in(source: &str) -> Option<String> {
        missing(&lang::parse(source).expect("a script"), source, &[])
    }

    #[test]
    fn a_header_that_is_nowhere_is_told_where_it_is_asked_for() {
        let told = missing_in("// Headers.\n#include <no/such.h>\nbegin {}");
        assert_eq!(told.as_deref(), Some("definitions.h:3:10: fatal error: 'no/such.h' file not found\n"));
    }

    #[test]
    fn headers_of_the_kernel_and_of_the_c_library_need_not_be_installed() {
        assert_eq!(missing_in("#include <linux/sched.h>\n#include <errno.h>\nbegin {}"), None);
    }
}
