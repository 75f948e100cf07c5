//! Sets of small numbers, for the data flow of the passes.

use std::ops::Range;

/// Words that need no memory of their own: most programs have fewer registers than so many bits.
const FEW: usize = 4;

/// A set of numbers below a fixed bound.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct BitSet {
    few: [u64; FEW],
    /// All of them where they are more than a few.
    many: Vec<u64>,
}

impl BitSet {
    /// An empty set of numbers below `bound`.
    pub fn new(bound: usize) -> Self {
        let words = bound.div_ceil(64);
        Self { few: [0; FEW], many: if words > FEW { vec![0; words] } else { Vec::new() } }
    }

    fn words(&self) -> &[u64] {
        if self.many.is_empty() { &self.few } else { &self.many }
    }

    fn words_mut(&mut self) -> &mut [u64] {
        if self.many.is_empty() { &mut self.few } else { &mut self.many }
    }

    /// Adds a number; one that is far beyond the bound is left out.
    pub fn insert(&mut self, number: usize) {
        if let Some(word) = self.words_mut().get_mut(number / 64) {
            *word |= 1 << (number % 64);
        }
    }

    /// Takes a number out.
    pub fn remove(&mut self, number: usize) {
        if let Some(word) = self.words_mut().get_mut(number / 64) {
            *word &= !(1 << (number % 64));
        }
    }

    /// Adds all numbers of a range.
    pub fn insert_range(&mut self, range: Range<usize>) {
        for (index, mask) in masks(range) {
            self.words_mut().get_mut(index).into_iter().for_each(|word| *word |= mask);
        }
    }

    /// Takes all numbers of a range out.
    pub fn remove_range(&mut self, range: Range<usize>) {
        for (index, mask) in masks(range) {
            self.words_mut().get_mut(index).into_iter().for_each(|word| *word &= !mask);
        }
    }

    /// Whether all numbers of a range are in it.
    pub fn contains_range(&self, range: Range<usize>) -> bool {
        masks(range).all(|(index, mask)| self.words().get(index).is_some_and(|word| word & mask == mask))
    }

    /// Takes all numbers out.
    pub fn clear(&mut self) {
        self.words_mut().fill(0);
    }

    /// Takes out what is not in `other`; whether that changed anything.
    pub fn intersect(&mut self, other: &BitSet) -> bool {
        self.combine(other, |own, other| own & other)
    }

    /// Whether a number is in it.
    pub fn contains(&self, number: usize) -> bool {
        self.words().get(number / 64).is_some_and(|word| word & 1 << (number % 64) != 0)
    }

    /// Adds all of `other`; whether that changed anything.
    pub fn union(&mut self, other: &BitSet) -> bool {
        self.combine(other, |own, other| own | other)
    }

    /// Adds what is in `other` and not in `except`; whether that changed anything.
    pub fn union_without(&mut self, other: &BitSet, except: &BitSet) -> bool {
        let mut changed = 0;
        let mut add = |word: &mut u64, other: u64, except: u64| {
            let new = other & !except & !*word;
            changed |= new;
            *word |= new;
        };
        if self.many.is_empty() {
            for ((word, other), except) in self.few.iter_mut().zip(other.few).zip(except.few) {
                add(word, other, except);
            }
        } else {
            for ((word, other), except) in self.many.iter_mut().zip(&other.many).zip(&except.many) {
                add(word, *other, *except);
            }
        }
        changed != 0
    }

    /// Makes each word what `of` makes of it and that of `other`, a set below the same bound; whether that changed anything.
    fn combine(&mut self, other: &BitSet, of: impl Fn(u64, u64) -> u64) -> bool {
        let mut changed = 0;
        let mut set = |word: &mut u64, other: u64| {
            let new = of(*word, other);
            changed |= new ^ *word;
            *word = new;
        };
        // A loop over a few words of which the number is known is none.
        if self.many.is_empty() {
            self.few.iter_mut().zip(other.few).for_each(|(word, other)| set(word, other));
        } else {
            self.many.iter_mut().zip(&other.many).for_each(|(word, other)| set(word, *other));
        }
        changed != 0
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.words().iter().all(|word| *word == 0)
    }

    /// The numbers in it, rising.
    pub fn iter(&self) -> impl Iterator<Item = usize> {
        self.words().iter().enumerate().flat_map(|(index, word)| {
            let rest = |word: &u64| Some(word & (word - 1)).filter(|word| *word != 0);
            let words = std::iter::successors(Some(*word).filter(|word| *word != 0), rest);
            words.map(move |word| index * 64 + word.trailing_zeros() as usize)
        })
    }
}

/// The words that hold the numbers of a range, each with the bits that are in it.
fn masks(range: Range<usize>) -> impl Iterator<Item = (usize, u64)> {
    let Range { start, end } = range;
    (start / 64..end.div_ceil(64)).filter(move |_| start < end).map(move |index| {
        let (first, behind) = (start.saturating_sub(index * 64), end - index * 64);
        let below = if behind >= 64 { u64::MAX } else { (1 << behind) - 1 };
        (index, below & u64::MAX << first)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn union_without_leaves_out_what_is_excepted() {
        let mut all = BitSet::new(130);
        [1, 64, 129].into_iter().for_each(|number| all.insert(number));
        let mut except = BitSet::new(130);
        except.insert(64);
        let mut set = BitSet::new(130);
        set.union_without(&all, &except);
        assert_eq!(set.iter().collect::<Vec<_>>(), [1, 129]);
        assert!(set.union(&all));
        assert!(!set.clone().intersect(&all) && set.clone().intersect(&except));
        assert!(!set.union(&all));
        set.remove(129);
        assert!(set.contains(64) && !set.contains(129) && !set.contains(500));
    }

    #[test]
    fn ranges_are_those_numbers_whatever_words_they_are_in() {
        for bound in [200, 700] {
            for range in [0..0, 5..5, 0..1, 0..64, 3..9, 60..70, 64..128, 1..199, 130..140] {
                let mut set = BitSet::new(bound);
                set.insert_range(range.clone());
                assert_eq!(set.iter().collect::<Vec<_>>(), range.clone().collect::<Vec<_>>());
                assert!(set.contains_range(range.clone()));
                assert!(!set.contains_range(range.start..range.end + 1));
                if let Some(first) = range.clone().next() {
                    set.remove_range(first..first + 1);
                    assert!(!set.contains_range(range.clone()) && set.contains_range(first + 1..range.end));
                }
                set.remove_range(range);
                assert_eq!(set, BitSet::new(bound));
            }
        }
    }
}
