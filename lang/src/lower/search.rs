//! Searching text: where a string first stands in another, and how long a string is.
//!
//! Strings are filled up with NULs, so that whole words are compared: of each word of what is sought the bytes up to its NUL count.

use report::raw;

use super::{Lowerer, Place};
use crate::hir::{Expr, Turns};
use crate::ir::{BlockId, Cmp, Op, Operand, VReg, Width};
use crate::types::Ty;

/// Bytes of a word.
const WORD: u32 = 8;
/// The smallest value that is kept in scratch, where words are read from any byte on.
const IN_SCRATCH: u32 = 136;
/// The low 7 bits of each byte of a word.
const LOW_BITS: i64 = 0x7f7f_7f7f_7f7f_7f7f;
/// The highest bit of each byte.
const HIGH_BITS: i64 = 0x8080_8080_8080_8080u64 as i64;
/// The lowest bit of each byte.
const ONES: i64 = 0x0101_0101_0101_0101;

/// What is sought.
#[derive(Clone)]
enum Needle {
    /// Known text: its words, and which of their bits count.
    Text(Vec<(i64, i64)>),
    /// Words in scratch, so many bytes from its start.
    Held { offset: i32, words: u32 },
}

impl Needle {
    fn words(&self) -> u32 {
        match self {
            Needle::Text(words) => words.len() as u32,
            Needle::Held { words, .. } => *words,
        }
    }

    fn of_text(text: &str) -> Self {
        let word = |bytes: &[u8]| bytes.iter().rev().fold(0u64, |word, byte| word << 8 | u64::from(*byte)) as i64;
        let bytes = raw::bytes(text);
        let chunks = bytes.chunks(WORD as usize);
        Needle::Text(chunks.map(|chunk| (word(chunk), word(&vec![0xff; chunk.len()]))).collect())
    }
}

/// Where a search goes on.
struct Ways {
    same: BlockId,
    differs: BlockId,
    end: BlockId,
}

impl Lowerer<'_> {
    /// Where `needle` first stands in `haystack`, counted in bytes, or -1. Both are strings.
    pub fn search(&mut self, haystack: &Expr, needle: &Expr, turns: Turns) -> Operand {
        let sought = match needle.literal() {
            Some("") => return Operand::Imm(0),
            Some(text) => Needle::of_text(text),
            None => self.hold_needle(needle),
        };
        let place = self.hold_haystack(haystack, sought.words());
        let size = i64::from(haystack.ty.layout().size);
        let result = self.b.copy(0);
        let done = self.b.new_block();
        if let Needle::Held { offset, .. } = sought {
            let scratch = self.scratch_register();
            let first = self.b.load(scratch, offset, Width::B1, false);
            self.b.branch_if(Cmp::Eq, first, 0, done);
        }
        match turns {
            Turns::Jumped => self.search_jumping(place, size, &sought, result),
            Turns::Called => {
                let found = self.search_called(-1, size, |lowerer, at, ways| lowerer.compare(place, at, &sought, ways));
                self.b.assign(result, found);
            }
        }
        self.b.jump(done);
        self.b.switch_to(done);
        result.into()
    }

    fn search_jumping(&mut self, haystack: i32, size: i64, needle: &Needle, result: VReg) {
        let at = self.b.copy(0);
        let (test, inside) = (self.b.new_block(), self.b.new_block());
        let ways = Ways { same: self.b.new_block(), differs: self.b.new_block(), end: self.b.new_block() };
        let done = self.b.new_block();
        self.b.jump(test);
        self.b.switch_to(test);
        self.b.branch(Cmp::ULt, at, size, inside, ways.end);
        self.b.switch_to(inside);
        self.compare(haystack, at, needle, &ways);
        self.b.switch_to(ways.differs);
        let next = self.b.add(at, 1);
        self.b.assign(at, next);
        self.b.jump(test);
        self.b.switch_to(ways.same);
        self.b.assign(result, at);
        self.b.jump(done);
        self.b.switch_to(ways.end);
        self.b.assign(result, -1);
        self.b.jump(done);
        self.b.switch_to(done);
    }

    fn search_called(&mut self, missing: i64, size: i64, compare: impl FnOnce(&mut Self, VReg, &Ways)) -> VReg {
        self.call_search(missing, size, |lowerer, at, same, differs, end| {
            compare(lowerer, at, &Ways { same, differs, end });
        })
    }

    /// Compares what stands at byte `at` of the haystack.
    fn compare(&mut self, haystack: i32, at: VReg, needle: &Needle, ways: &Ways) {
        let scratch = self.scratch_register();
        let moved = self.b.add(scratch, at);
        let first = self.b.load(moved, haystack, Width::B1, false);
        self.b.branch_if(Cmp::Eq, first, 0, ways.end);
        let mut difference: Operand = Operand::Imm(0);
        for index in 0..needle.words() {
            let offset = (index * WORD) as i32;
            let there = self.b.load(moved, haystack + offset, Width::B8, false);
            let (word, mask) = match needle {
                Needle::Text(words) => {
                    let (word, mask) = words.get(index as usize).copied().unwrap_or_default();
                    (Operand::Imm(word), Operand::Imm(mask))
                }
                Needle::Held { offset: start, .. } => {
                    let word = self.b.load(scratch, start + offset, Width::B8, false);
                    (word.into(), self.text_mask(word))
                }
            };
            let counts = if mask == Operand::Imm(-1) { there } else { self.b.and(there, mask) };
            let differs = self.b.bin(Op::Xor, counts, word);
            difference = match difference {
                Operand::Imm(_) => differs.into(),
                before => self.b.or(before, differs).into(),
            };
        }
        self.b.branch(Cmp::Eq, difference, 0, ways.same, ways.differs);
    }

    /// All bits of the bytes of a word that are not NUL.
    fn text_mask(&mut self, word: VReg) -> Operand {
        let bits = self.text_bytes(word);
        self.b.mul(bits, 0xff).into()
    }

    /// 1 in each byte of a word that is not NUL.
    fn text_bytes(&mut self, word: VReg) -> VReg {
        let low = self.b.and(word, LOW_BITS);
        let carried = self.b.add(low, LOW_BITS);
        let any = self.b.or(carried, word);
        let high = self.b.and(any, HIGH_BITS);
        self.b.lshr(high, 7)
    }

    /// The haystack in scratch, with zeros behind it for the words of what is sought; where in scratch.
    fn hold_haystack(&mut self, haystack: &Expr, words: u32) -> i32 {
        let size = haystack.ty.layout().size;
        let place = self.temp((size + words * WORD).max(IN_SCRATCH));
        self.write(haystack, place, &haystack.ty, super::Fill::Zeros);
        self.zero(place.at(size), words * WORD);
        place.offset
    }

    fn hold_needle(&mut self, needle: &Expr) -> Needle {
        let size = needle.ty.layout().size;
        let place = self.temp(size.max(IN_SCRATCH));
        self.write(needle, place, &needle.ty, super::Fill::Zeros);
        Needle::Held { offset: place.offset, words: size / WORD }
    }

    /// How many bytes a string has before its NUL.
    pub fn text_length(&mut self, text: &Expr) -> Operand {
        let place = self.place(text);
        self.held_length(place, &text.ty).into()
    }

    /// The same of a string that is in memory, filled up with NULs.
    pub fn held_length(&mut self, place: Place, ty: &Ty) -> VReg {
        let length = self.b.copy(0);
        let done = self.b.new_block();
        for index in 0..ty.layout().size / WORD {
            let word = self.b.load(place.base, place.at(index * WORD).offset, Width::B8, false);
            // A word that is all NULs adds nothing; what is behind it neither.
            self.b.branch_if(Cmp::Eq, word, 0, done);
            let bytes = self.text_bytes(word);
            let sum = self.b.mul(bytes, ONES);
            let count = self.b.lshr(sum, 56);
            let longer = self.b.add(length, count);
            self.b.assign(length, longer);
        }
        self.b.jump(done);
        self.b.switch_to(done);
        length
    }
}
