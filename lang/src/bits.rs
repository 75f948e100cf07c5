//! Sets of small numbers, for the data flow of the passes.

/// A set of numbers below a fixed bound.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct BitSet {
    words: Vec<u64>,
}

impl BitSet {
    /// An empty set of numbers below `bound`.
    pub fn new(bound: usize) -> Self {
        Self { words: vec![0; bound.div_ceil(64)] }
    }

    /// Adds a number; one that is not below the bound is left out.
    pub fn insert(&mut self, number: usize) {
        if let Some(word) = self.words.get_mut(number / 64) {
            *word |= 1 << (number % 64);
        }
    }

    /// Takes a number out.
    pub fn remove(&mut self, number: usize) {
        if let Some(word) = self.words.get_mut(number / 64) {
            *word &= !(1 << (number % 64));
        }
    }

    /// Takes all numbers out.
    pub fn clear(&mut self) {
        self.words.fill(0);
    }

    /// Takes out what is not in `other`; whether that changed anything.
    pub fn intersect(&mut self, other: &BitSet) -> bool {
        let mut changed = false;
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            changed |= *word & !other != 0;
            *word &= other;
        }
        changed
    }

    /// Whether a number is in it.
    pub fn contains(&self, number: usize) -> bool {
        self.words.get(number / 64).is_some_and(|word| word & 1 << (number % 64) != 0)
    }

    /// Adds all of `other`; whether that changed anything.
    pub fn union(&mut self, other: &BitSet) -> bool {
        let mut changed = false;
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            changed |= other & !*word != 0;
            *word |= other;
        }
        changed
    }

    /// Adds what is in `other` and not in `except`; whether that changed anything.
    pub fn union_without(&mut self, other: &BitSet, except: &BitSet) -> bool {
        let mut changed = false;
        for ((word, other), except) in self.words.iter_mut().zip(&other.words).zip(&except.words) {
            let new = other & !except;
            changed |= new & !*word != 0;
            *word |= new;
        }
        changed
    }

    /// The numbers in it, rising.
    pub fn iter(&self) -> impl Iterator<Item = usize> {
        self.words
            .iter()
            .enumerate()
            .flat_map(|(index, word)| (0..64).filter(move |bit| word & 1 << bit != 0).map(move |bit| index * 64 + bit))
    }
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
}
