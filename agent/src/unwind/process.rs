//! A process as the kernel tells of it: what it runs, and where its code is.

use std::{fs, io};

use lang::unwinding::Image;

/// A piece of code that a process has mapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// Its addresses.
    pub start: u64,
    /// The first address behind it.
    pub end: u64,
    /// Where in its file it starts.
    pub offset: u64,
    /// What its file is known by: device and inode; those of the kernel's own code are empty.
    pub file: (String, u64),
    /// The file's path, or what the kernel calls what is no file.
    pub name: String,
}

/// What the kernel calls the code that it gives to every process.
pub const VDSO: &str = "[vdso]";

impl Code {
    /// Whether it is what the kernel gives to every process.
    pub fn is_vdso(&self) -> bool {
        self.name == VDSO
    }

    /// Whether it is of a file.
    pub fn is_file(&self) -> bool {
        self.file.1 != 0
    }
}

/// What a process runs; `None` for a thread of the kernel.
///
/// # Errors
/// Where the process is gone, or is not ours to look at.
pub fn image(pid: u32) -> io::Result<Option<Image>> {
    Ok(image_of(&fs::read_to_string(format!("/proc/{pid}/stat"))?))
}

/// The code that a process has mapped, in the order of its addresses.
///
/// # Errors
/// As those of [`image`].
pub fn code(pid: u32) -> io::Result<Vec<Code>> {
    let maps = fs::read(format!("/proc/{pid}/maps"))?;
    Ok(String::from_utf8_lossy(&maps).lines().filter_map(code_of).collect())
}

/// Which fields of `/proc/PID/stat` tell it, counted from the one behind the name.
const END_CODE: usize = 24;
const START_STACK: usize = 25;

fn image_of(stat: &str) -> Option<Image> {
    // The name may have anything in it.
    let (_, fields) = stat.rsplit_once(") ")?;
    let field = |index: usize| fields.split(' ').nth(index)?.trim().parse().ok();
    let image = Image { end_code: field(END_CODE)?, start_stack: field(START_STACK)? };
    (image.end_code > 1).then_some(image)
}

/// `7f..-7f.. r-xp 00001000 08:01 1234   /usr/lib/libc.so.6`
fn code_of(line: &str) -> Option<Code> {
    let mut words = line.splitn(6, ' ');
    let (start, end) = words.next()?.split_once('-')?;
    let mode = words.next()?;
    let offset = words.next()?;
    let (device, inode) = (words.next()?, words.next()?);
    let name = words.next().unwrap_or_default().trim_start();
    let hex = |text: &str| u64::from_str_radix(text, 16).ok();
    let code = Code {
        start: hex(start)?,
        end: hex(end)?,
        offset: hex(offset)?,
        file: (device.to_owned(), inode.parse().ok()?),
        name: name.to_owned(),
    };
    mode.contains('x').then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_what_may_be_executed() {
        let code =
            code_of("7f12a000-7f12c000 r-xp 00001000 08:01 1234                       /usr/lib/a b.so (deleted)");
        let name = "/usr/lib/a b.so (deleted)".to_owned();
        let (start, end, file) = (0x7f12_a000, 0x7f12_c000, ("08:01".to_owned(), 1234));
        assert_eq!(code, Some(Code { start, end, offset: 0x1000, file, name }));
        assert_eq!(code_of("7f12a000-7f12c000 r--p 00000000 08:01 1234   /usr/lib/libc.so.6"), None);
        let jit = code_of("7f12a000-7f12c000 rwxp 00000000 00:00 0 ").expect("code of no file");
        assert!(!jit.is_file() && jit.name.is_empty());
    }

    #[test]
    fn this_process_runs_something_and_has_code() {
        let pid = std::process::id();
        let image = image(pid).expect("its state").expect("what it runs");
        assert_ne!(image.start_stack, 0);
        let code = code(pid).expect("its code");
        assert!(code.iter().any(|piece| piece.end >= image.end_code && piece.start < image.end_code), "{code:x?}");
        assert!(code.is_sorted_by_key(|piece| piece.start));
    }

    #[test]
    fn a_thread_of_the_kernel_runs_nothing() {
        let mut fields = vec!["0"; 50];
        fields[0] = "S";
        assert_eq!(image_of(&format!("2 (a) b) {}", fields.join(" "))), None);
        fields[END_CODE] = "100";
        fields[START_STACK] = "200";
        let image = Image { end_code: 100, start_stack: 200 };
        assert_eq!(image_of(&format!("2 (a) b) {}", fields.join(" "))), Some(image));
    }
}
