//! The kernel's symbols, from /proc/kallsyms.
//!
//! Reading the file takes the kernel some 50 ms for 120,000 symbols, so it is read once, kept compactly (about 50 bytes a
//! symbol) and shared until nobody holds it any more. Names for addresses and addresses for names; stacks are symbolise's.

use std::io;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Needs CAP_SYSLOG, or kernel.kptr_restrict at 0: without, every address reads as zero.
pub const PATH: &str = "/proc/kallsyms";

/// Where the kernel's half of the address space begins, on every architecture supported.
const KERNEL_SPACE: u64 = 1 << 63;

/// How far beyond the last symbol an address may still belong to it, in bytes.
const LAST_SYMBOL: u64 = 1 << 20;

/// Every symbol the kernel tells, sorted by address.
#[derive(Debug)]
pub struct Kallsyms {
    entries: Vec<Entry>,
    names: String,
    modules: Vec<String>,
}

#[derive(Debug)]
struct Entry {
    address: u64,
    name: u32,
    length: u16,
    /// 0 for the kernel itself, else one more than the index of a module.
    module: u16,
    kind: u8,
}

/// One symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Symbol<'a> {
    /// Where it starts.
    pub address: u64,
    /// Its name.
    pub name: &'a str,
    /// The module; `None` for the kernel itself.
    pub module: Option<&'a str>,
}

static SHARED: Mutex<Weak<Kallsyms>> = Mutex::new(Weak::new());

impl Kallsyms {
    /// The symbols of this kernel, read now unless somebody holds them. Modules loaded since are missing.
    pub fn shared() -> io::Result<Arc<Self>> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(symbols) = shared.upgrade() {
            return Ok(symbols);
        }
        let symbols = Arc::new(Self::parse(&std::fs::read(PATH)?));
        *shared = Arc::downgrade(&symbols);
        Ok(symbols)
    }

    /// Parses lines of address, kind, name and perhaps a module in brackets. Lines of another shape are skipped.
    pub fn parse(text: &[u8]) -> Self {
        let mut symbols = Self { entries: Vec::new(), names: String::new(), modules: Vec::new() };
        for line in text.split(|byte| *byte == b'\n') {
            if let Ok(line) = std::str::from_utf8(line) {
                symbols.add(line);
            }
        }
        // Stable: of several names for one address the kernel prefers the first it lists.
        symbols.entries.sort_by_key(|entry| entry.address);
        symbols.entries.shrink_to_fit();
        symbols.names.shrink_to_fit();
        symbols
    }

    fn add(&mut self, line: &str) -> Option<()> {
        let mut words = line.split_ascii_whitespace();
        let address = u64::from_str_radix(words.next()?, 16).ok()?;
        let kind = words.next()?.bytes().next()?;
        let name = words.next()?;
        let module = match words.next() {
            Some(module) => self.module(module.trim_matches(['[', ']'])),
            None => 0,
        };
        let start = u32::try_from(self.names.len()).ok()?;
        let length = u16::try_from(name.len()).ok()?;
        self.names.push_str(name);
        self.entries.push(Entry { address, name: start, length, module, kind });
        Some(())
    }

    fn module(&mut self, name: &str) -> u16 {
        // A module's symbols stand together, so that the last one seen is nearly always it.
        let index = self.modules.iter().rposition(|known| known == name).unwrap_or_else(|| {
            self.modules.push(name.to_owned());
            self.modules.len() - 1
        });
        u16::try_from(index + 1).unwrap_or(0)
    }

    fn symbol(&self, entry: &Entry) -> Symbol<'_> {
        let start = entry.name as usize;
        Symbol {
            address: entry.address,
            name: self.names.get(start..start + usize::from(entry.length)).unwrap_or_default(),
            module: usize::from(entry.module)
                .checked_sub(1)
                .and_then(|index| self.modules.get(index))
                .map(String::as_str),
        }
    }

    /// The symbol an address of the kernel belongs to.
    pub fn find(&self, address: u64) -> Option<Symbol<'_>> {
        let after = self.entries.partition_point(|entry| entry.address <= address);
        let nearest = self.entries.get(after.checked_sub(1)?)?;
        let first = self.entries.partition_point(|entry| entry.address < nearest.address);
        let is_beyond = after == self.entries.len() && address - nearest.address > LAST_SYMBOL;
        (nearest.address >= KERNEL_SPACE && !is_beyond).then(|| self.entries.get(first).map(|e| self.symbol(e)))?
    }

    /// The address of the symbol called `name`.
    pub fn address(&self, name: &str) -> Option<u64> {
        self.entries
            .iter()
            .map(|entry| self.symbol(entry))
            .find(|symbol| symbol.name == name)
            .map(|symbol| symbol.address)
    }

    /// The functions among the symbols.
    pub fn functions(&self) -> impl Iterator<Item = Symbol<'_>> {
        let is_function = |entry: &&Entry| matches!(entry.kind, b'T' | b't' | b'W' | b'w');
        self.entries.iter().filter(is_function).map(|entry| self.symbol(entry))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] = b"ffffffff81000000 T _stext\nffffffff81000000 T _text\nffffffff81000040 t do_thing\n\
        ffffffffc0000000 t ext4_iget\t[ext4]\n0000000000000010 A per_cpu\nnonsense\n";

    #[test]
    fn an_address_belongs_to_the_symbol_before_it() {
        let symbols = Kallsyms::parse(TEXT);
        let found = symbols.find(0xffff_ffff_8100_0047).unwrap();
        assert_eq!((found.name, found.address), ("do_thing", 0xffff_ffff_8100_0040));
        assert_eq!(symbols.find(0xffff_ffff_c000_0001).unwrap().module, Some("ext4"));
    }

    #[test]
    fn of_two_names_the_first_is_taken() {
        assert_eq!(Kallsyms::parse(TEXT).find(0xffff_ffff_8100_0000).unwrap().name, "_stext");
    }

    #[test]
    fn addresses_of_users_and_of_nobody_have_no_symbol() {
        let symbols = Kallsyms::parse(TEXT);
        assert_eq!(symbols.find(0x20), None);
        assert_eq!(symbols.find(0), None);
        assert_eq!(symbols.find(u64::MAX), None);
    }

    #[test]
    fn names_have_addresses_and_functions_are_told_from_data() {
        let symbols = Kallsyms::parse(TEXT);
        assert_eq!(symbols.address("do_thing"), Some(0xffff_ffff_8100_0040));
        assert_eq!(symbols.address("missing"), None);
        assert_eq!(symbols.functions().count(), 4);
    }
}
