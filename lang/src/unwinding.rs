//! Tables by which a program follows the stacks of processes that keep no frame pointers (x86-64): their form.
//!
//! Whoever loads the programs makes them, from what compilers leave in files for exceptions (`.eh_frame`); `lower::unwind::tables` reads
//! them. There are three kinds:
//!
//! * for each file an array of 64-bit words: what [`words`] makes of its rules;
//! * for each process an array of [`Mapped`] pieces of code in the order of their addresses, behind a first element that says how many
//!   there are. It is found by an [`Image`], which the children that a process forks share with it;
//! * for each place that no table knows a [`Request`], sent when it is met.

/// Bytes of code that one word of a file's index is about. So many addresses at most have rules of their own there.
pub const BLOCK: u32 = 256;
/// Bits of an offset within a block.
pub const BLOCK_BITS: u32 = BLOCK.trailing_zeros();
/// The most files that have tables at a time.
pub const MOST_FILES: u32 = 4096;
/// The most processes that do.
pub const MOST_PROCESSES: u32 = 4096;
/// The most pieces of code that a process may have mapped.
pub const MOST_MAPPED: usize = 1 << 16;
/// Bytes of the ring buffer of requests.
pub const REQUEST_RING: u32 = 1 << 16;

/// Bits of a rule, from the lowest on: its kind, whether the frame pointer was saved, where, where the caller's frame is.
pub const KIND_BITS: u32 = 3;
/// How many words below the caller's frame the frame pointer was saved.
pub const SAVED_BITS: u32 = 10;
/// How many words from the register the caller's frame is, signed.
pub const FRAME_BITS: u32 = 18;

/// How a caller's frame is found, as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Nothing is known.
    Unknown,
    /// It is a distance from the stack pointer.
    BySp,
    /// It is a distance from the frame pointer.
    ByBp,
    /// Its address is kept at a distance from the frame pointer, which points to where it was saved.
    BehindBp,
    /// In a procedure linkage table, whose entries have 16 bytes: a word above the stack pointer, or two from so many bytes of an entry on.
    Linkage,
    /// In what a signal's handler returns to: the kernel left all registers on the stack.
    Signal,
    /// There is no caller.
    End,
    /// It is the word above an address that is kept at a distance from the stack pointer.
    BehindSp,
}

/// How the caller's frame and registers are found at an instruction. Its return address is the word below its frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Nothing is known, or nothing that is followed.
    Unknown,
    /// The caller's frame is so many bytes from the stack pointer.
    BySp(i64, Saved),
    /// It is so many bytes from the frame pointer.
    ByBp(i64, Saved),
    /// Its address is kept so many bytes from the frame pointer, which points to where it was saved.
    BehindBp(i64),
    /// It is the word above an address that is kept so many bytes from the stack pointer.
    BehindSp(i64, Saved),
    /// In a procedure linkage table: from so many bytes of an entry on a word was pushed.
    Linkage(u8),
    /// In what a signal's handler returns to.
    Signal,
    /// There is no caller.
    End,
}

/// So many bytes below the caller's frame the frame pointer was saved; `None` where it still is what it was.
pub type Saved = Option<i64>;

/// Bytes of a word of the stack.
const WORD: i64 = 8;

impl Rule {
    /// The rule in 32 bits; what does not fit them is unknown.
    pub fn pack(self) -> u32 {
        let (kind, frame, saved) = match self {
            Self::Unknown => (Kind::Unknown, 0, None),
            Self::BySp(frame, saved) => (Kind::BySp, frame, saved),
            Self::ByBp(frame, saved) => (Kind::ByBp, frame, saved),
            Self::BehindBp(frame) => (Kind::BehindBp, frame, None),
            Self::BehindSp(frame, saved) => (Kind::BehindSp, frame, saved),
            Self::Linkage(pushed) => (Kind::Linkage, 0, Some(i64::from(pushed) * WORD)),
            Self::Signal => (Kind::Signal, 0, None),
            Self::End => (Kind::End, 0, None),
        };
        let most = 1i64 << (FRAME_BITS - 1);
        let fits = frame % WORD == 0 && (-most..most).contains(&(frame / WORD));
        let saved_fits = saved.is_none_or(|at| at % WORD == 0 && (0..1i64 << SAVED_BITS).contains(&(at / WORD)));
        if !fits || !saved_fits {
            return Kind::Unknown as u32;
        }
        let frame = (frame / WORD) as u32;
        let place = saved.map_or(0, |at| (at / WORD) as u32);
        let is_saved = u32::from(saved.is_some());
        kind as u32 | is_saved << KIND_BITS | place << (KIND_BITS + 1) | frame << (KIND_BITS + 1 + SAVED_BITS)
    }
}

/// The words of a file's table: first one for each [`BLOCK`] of `bytes` of code, then the rules.
///
/// `rules` say from which byte of the code on they hold, in rising order. A block's word has in its low half where in the table the rule
/// is that holds at the block's first byte, or the first rule of all, and in the high half how many there are from there to the block's
/// end. A rule's word has where it begins in the low half and the packed rule in the high one.
///
/// `None` where there are too many for 32 bits.
pub fn words(rules: &[(u32, u32)], bytes: u64) -> Option<Vec<u64>> {
    let blocks = u32::try_from(bytes.div_ceil(BLOCK.into())).ok()?;
    u32::try_from(rules.len()).ok()?.checked_add(blocks)?;
    let mut words = Vec::with_capacity(blocks as usize + rules.len());
    let mut end = 0;
    for block in 0..u64::from(blocks) {
        let (start, behind) = (block * u64::from(BLOCK), (block + 1) * u64::from(BLOCK));
        let before = |at: u64| move |rule: &(u32, u32)| u64::from(rule.0) < at;
        // The rules are sorted: what is before this block was before the last one's end.
        let first = end + count_while(rules.get(end..).unwrap_or_default(), before(start + 1));
        end = first + count_while(rules.get(first..).unwrap_or_default(), before(behind));
        let first = first.saturating_sub(1);
        let count = end.saturating_sub(first) as u64;
        words.push((u64::from(blocks) + first as u64) | count << 32);
    }
    words.extend(rules.iter().map(|(at, rule)| u64::from(*at) | u64::from(*rule) << 32));
    Some(words)
}

fn count_while<T>(of: &[T], holds: impl Fn(&T) -> bool) -> usize {
    of.iter().take_while(|item| holds(item)).count()
}

/// What tells processes apart that run different programs, or the same at different places: where the kernel put the program's code and
/// its stack. Both stay as they are until it runs another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Image {
    /// Where the program's code ends: `mm_struct::end_code`.
    pub end_code: u64,
    /// Where the stack starts: `mm_struct::start_stack`.
    pub start_stack: u64,
}

/// Bytes of an image, as a key.
pub const IMAGE_BYTES: u32 = 16;

impl Image {
    /// As it is in memory.
    pub fn bytes(self) -> [u8; IMAGE_BYTES as usize] {
        let both = u128::from(self.end_code) | u128::from(self.start_stack) << 64;
        both.to_le_bytes()
    }

    /// The image in these bytes.
    pub fn of_bytes(bytes: [u8; IMAGE_BYTES as usize]) -> Self {
        let both = u128::from_le_bytes(bytes);
        Self { end_code: both as u64, start_stack: (both >> 64) as u64 }
    }
}

/// A piece of a file's code in a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapped {
    /// Its first address.
    pub start: u64,
    /// Bytes.
    pub size: u64,
    /// What an address is less within the file's table.
    pub shift: u64,
    /// The file's number; of none, [`Mapped::NO_TABLE`].
    pub file: u64,
}

/// Bytes of a piece in a table.
pub const MAPPED_BYTES: u32 = 32;
/// Where in it they are.
pub const START: i32 = 0;
/// Where its size is.
pub const SIZE: i32 = 8;
/// Where its shift is.
pub const SHIFT: i32 = 16;
/// Where its file's number is.
pub const FILE: i32 = 24;

impl Mapped {
    /// In place of a file's number, where nothing is known of its code.
    pub const NO_TABLE: u64 = u32::MAX as u64;

    /// A process's table.
    pub fn table(pieces: &[Self]) -> Vec<u64> {
        let mut words = vec![pieces.len() as u64, 0, 0, 0];
        words.extend(pieces.iter().flat_map(|piece| [piece.start, piece.size, piece.shift, piece.file]));
        words
    }
}

/// What was met and is in no table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// The process.
    pub pid: u32,
    /// What it runs.
    pub image: Image,
    /// The address that was looked for.
    pub address: u64,
}

/// Bytes of a request.
pub const REQUEST_BYTES: u32 = 32;
/// Where in it the address is.
pub const ADDRESS: i32 = 8;
/// Where the image is.
pub const IMAGE: i32 = 16;

impl Request {
    /// The request in a record; `None` where it is cut off.
    pub fn of_record(record: &[u8]) -> Option<Self> {
        let (pid, rest) = record.split_first_chunk::<8>()?;
        let (address, rest) = rest.split_first_chunk::<8>()?;
        let image = rest.first_chunk()?;
        let pid = u32::try_from(u64::from_le_bytes(*pid)).ok()?;
        Some(Self { pid, image: Image::of_bytes(*image), address: u64::from_le_bytes(*address) })
    }

    /// By what it is known that it was sent: a request for the same 64 KiB of the same process is not sent again until this is forgotten.
    pub fn key(&self) -> u64 {
        u64::from(self.pid) << 32 | (self.address >> REGION_BITS & u64::from(u32::MAX))
    }
}

/// Bits of an address that do not tell requests apart.
pub const REGION_BITS: u32 = 16;

#[cfg(test)]
mod tests {
    use super::*;

    /// The rule that a program finds at a byte of the code.
    fn found(words: &[u64], at: u32) -> Option<u64> {
        let word = words[(at / BLOCK) as usize];
        let (first, count) = (word as u32 as usize, (word >> 32) as usize);
        let candidates = &words[first..first + count];
        candidates.iter().rev().find(|rule| **rule as u32 <= at).map(|rule| rule >> 32)
    }

    #[test]
    fn each_byte_of_code_finds_the_last_rule_before_it() {
        let rules: Vec<(u32, u32)> =
            [3, 4, 255, 256, 300, 511, 1024, 1025, 2000].iter().zip(10..).map(|(at, rule)| (*at, rule)).collect();
        let words = words(&rules, 2304).expect("few rules");
        assert_eq!(words.len(), 9 + rules.len());
        for at in 0..2304 {
            let expected = rules.iter().rev().find(|rule| rule.0 <= at).map(|rule| u64::from(rule.1));
            assert_eq!(found(&words, at), expected, "at {at}");
        }
    }

    #[test]
    fn a_block_has_no_more_rules_than_bytes_and_one_from_before() {
        let rules: Vec<(u32, u32)> = (0..1024).map(|at| (at, at)).collect();
        let words = words(&rules, 1024).expect("few rules");
        assert_eq!(words[..4].iter().map(|word| word >> 32).collect::<Vec<_>>(), [256; 4]);
        assert_eq!(found(&words, 777), Some(777));
    }

    #[test]
    fn distances_that_do_not_fit_are_unknown() {
        assert_eq!(Rule::BySp(16, None).pack(), Kind::BySp as u32 | 2 << 14);
        assert_eq!(Rule::ByBp(16, Some(16)).pack(), Kind::ByBp as u32 | 1 << 3 | 2 << 4 | 2 << 14);
        assert_eq!(Rule::BySp(-8, None).pack() as i32 >> 14, -1);
        for rule in [Rule::BySp(1 << 20, None), Rule::BySp(12, None), Rule::ByBp(16, Some(1 << 13))] {
            assert_eq!(rule.pack(), Kind::Unknown as u32);
        }
    }

    #[test]
    fn a_request_that_is_cut_off_is_none() {
        let image = Image { end_code: 1, start_stack: 2 };
        let record = [&7u64.to_le_bytes()[..], &0x7f00_1234_5678u64.to_le_bytes(), &image.bytes()].concat();
        let request = Request { pid: 7, image, address: 0x7f00_1234_5678 };
        assert_eq!(Request::of_record(&record), Some(request));
        assert_eq!(Request::of_record(&record[..31]), None);
        assert_eq!(request.key(), 7 << 32 | 0x7f00_1234);
    }
}
