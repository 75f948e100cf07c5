//! Conditions: branches without a value in between.

use report::raw;

use super::Lowerer;
use super::expr::comparison;
use crate::hir::{Expr, ExprKind};
use crate::ir::{BlockId, Cmp, Operand, VReg, Width};
use crate::types::Ty;

impl Lowerer<'_> {
    /// Goes to `then` where a condition holds, else to `otherwise`.
    pub fn branch(&mut self, e: &Expr, then: BlockId, otherwise: BlockId) {
        let span = self.b.set_span(e.span);
        match &e.kind {
            ExprKind::Int(value) => self.b.jump(if *value != 0 { then } else { otherwise }),
            ExprKind::Not(operand) => self.branch(operand, otherwise, then),
            ExprKind::Logical { and, left, right } => {
                let second = self.b.new_block();
                if *and {
                    self.branch(left, second, otherwise);
                } else {
                    self.branch(left, then, second);
                }
                self.b.switch_to(second);
                self.branch(right, then, otherwise);
            }
            ExprKind::Compare { op, signed, left, right } => {
                let (left, right) = (self.scalar(left), self.scalar(right));
                self.b.branch(comparison(*op, *signed), left, right, then, otherwise);
            }
            ExprKind::Same { equal, left, right } => {
                let (same, different) = if *equal { (then, otherwise) } else { (otherwise, then) };
                self.branch_same(left, right, same, different);
            }
            _ => {
                let value = self.scalar(e);
                self.b.branch(Cmp::Ne, value, 0, then, otherwise);
            }
        }
        self.b.set_span(span);
    }

    fn branch_same(&mut self, left: &Expr, right: &Expr, same: BlockId, different: BlockId) {
        match (left.literal(), right.literal()) {
            (Some(a), Some(b)) => self.b.jump(if a == b { same } else { different }),
            (Some(text), None) => self.branch_text(right, text, same, different),
            (None, Some(text)) => self.branch_text(left, text, same, different),
            (None, None) => self.branch_prefix(left, right, u32::MAX, same, different),
        }
    }

    /// Compares a string with constant text, up to and including its NUL.
    fn branch_text(&mut self, e: &Expr, text: &str, same: BlockId, different: BlockId) {
        let Ty::Str { size } = e.ty else { return self.b.jump(different) };
        let mut bytes = raw::bytes(text).into_owned();
        // A string that fills its place has no NUL.
        if bytes.len() < size as usize {
            bytes.push(0);
        }
        if bytes.len() > size as usize {
            return self.b.jump(different);
        }
        let place = self.place(e);
        for (at, chunk) in (0u32..).step_by(8).zip(bytes.chunks(8)) {
            let mut rest = chunk;
            let mut offset = at;
            while !rest.is_empty() {
                let width = match rest.len() {
                    8 => Width::B8,
                    4..=7 => Width::B4,
                    2 | 3 => Width::B2,
                    _ => Width::B1,
                };
                let (now, later) = rest.split_at(width.bytes() as usize);
                let word = now.iter().rev().fold(0u64, |word, byte| word << 8 | u64::from(*byte));
                let found = self.b.load(place.base, place.at(offset).offset, width, false);
                self.b.branch_if(Cmp::Ne, found, word as i64, different);
                offset += width.bytes();
                rest = later;
            }
        }
        self.b.jump(same);
    }

    /// Compares at most the first `most` bytes of two values in memory. Both are filled up with NULs, so whole words are compared.
    pub fn branch_prefix(&mut self, left: &Expr, right: &Expr, most: u32, same: BlockId, different: BlockId) {
        let (a, b) = (self.place(left), self.place(right));
        let (a_size, b_size) = (left.ty.layout().size.min(most), right.ty.layout().size.min(most));
        let mut at = 0;
        while at < a_size.max(b_size) {
            let left = (at + 8).min(a_size).saturating_sub(at);
            let right = (at + 8).min(b_size).saturating_sub(at);
            let width = widest(left.max(right));
            let x = self.word_or_zero(a, at, left, width);
            let y = self.word_or_zero(b, at, right, width);
            self.b.branch_if(Cmp::Ne, x, y, different);
            at += width.bytes();
        }
        self.b.jump(same);
    }

    /// Compares bytes, which are aligned to 8 and of which no more than `count` need be there.
    pub fn branch_bytes(&mut self, a: super::Place, b: super::Place, count: u32, same: BlockId, different: BlockId) {
        let mut at = 0;
        while at < count {
            let width = widest(count - at);
            let x = self.b.load(a.base, a.at(at).offset, width, false);
            let y = self.b.load(b.base, b.at(at).offset, width, false);
            self.b.branch_if(Cmp::Ne, x, y, different);
            at += width.bytes();
        }
        self.b.jump(same);
    }

    /// By how much the first byte that differs is larger in `a` than in `b`; 0 where the first `count` bytes are the same. Both are
    /// compared by words, which may be read up to their end.
    pub fn byte_difference(&mut self, a: super::Place, b: super::Place, count: u32) -> VReg {
        let (x, y, difference) = (self.b.copy(0), self.b.copy(0), self.b.copy(0));
        let (differ, done) = (self.b.new_block(), self.b.new_block());
        let mut at = 0;
        while at < count {
            let width = widest(count - at);
            for (word, place) in [(x, a), (y, b)] {
                let loaded = self.b.load(place.base, place.at(at).offset, width, false);
                self.b.assign(word, loaded);
            }
            self.b.branch_if(Cmp::Ne, x, y, differ);
            at += width.bytes();
        }
        self.b.jump(done);
        self.b.switch_to(differ);
        // In little-endian order the first byte is the lowest one.
        for _ in 0..8 {
            let (own, other) = (self.b.and(x, 0xff), self.b.and(y, 0xff));
            let above = self.b.sub(own, other);
            self.b.assign(difference, above);
            self.b.branch_if(Cmp::Ne, difference, 0, done);
            for word in [x, y] {
                let rest = self.b.lshr(word, 8);
                self.b.assign(word, rest);
            }
        }
        self.b.jump(done);
        self.b.switch_to(done);
        difference
    }

    fn word_or_zero(&mut self, place: super::Place, at: u32, left: u32, width: Width) -> Operand {
        if left == 0 {
            return Operand::Imm(0);
        }
        self.b.load(place.base, place.at(at).offset, width, false).into()
    }
}

fn widest(left: u32) -> Width {
    match left {
        8.. => Width::B8,
        4..=7 => Width::B4,
        2 | 3 => Width::B2,
        _ => Width::B1,
    }
}
