//! What an element of an aggregating map has seen, and how it is shown.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::program::Kind;

/// Everything one element was given.
#[derive(Default)]
pub struct Observed(Vec<i64>);

/// From where, up to where, and what is written before it.
type Bucket = (i128, i128, String);

impl Observed {
    pub fn add(&mut self, value: i64) {
        self.0.push(value);
    }

    fn total(&self) -> i64 {
        self.0.iter().fold(0, |total, value| total.wrapping_add(*value))
    }

    fn average(&self) -> i64 {
        self.total().wrapping_div(self.0.len() as i64)
    }

    /// As a number.
    pub fn number(&self, kind: Kind) -> i64 {
        match kind {
            Kind::Sum => self.total(),
            Kind::Min => self.0.iter().copied().min().unwrap_or(0),
            Kind::Max => self.0.iter().copied().max().unwrap_or(0),
            Kind::Avg | Kind::Stats => self.average(),
            Kind::Hist | Kind::Lhist => self.0.len() as i64,
        }
    }

    /// What rows are sorted by.
    pub fn rank(&self, kind: Kind) -> i64 {
        self.number(kind)
    }

    /// How the element is printed.
    pub fn row(&self, kind: Kind, key: i64) -> String {
        let name = format!("@{}[{key}]:", kind.name());
        match kind {
            Kind::Sum | Kind::Min | Kind::Max | Kind::Avg => format!("{name} {}\n", self.number(kind)),
            Kind::Stats => {
                let (count, average, total) = (self.0.len(), self.average(), self.total());
                format!("{name} {{ .count = {count}, .average = {average}, .total = {total} }}\n")
            }
            Kind::Hist => format!("{name}\n{}\n", self.lines(power_of_two)),
            Kind::Lhist => format!("{name}\n{}\n", self.lines(hundreds)),
        }
    }

    /// A line for each bucket from the lowest to the highest that is not empty.
    fn lines(&self, label: fn(u32) -> Bucket) -> String {
        let buckets: Vec<Bucket> = (0..80).map(label).collect();
        let mut counts: BTreeMap<usize, u64> = BTreeMap::new();
        for value in &self.0 {
            let value = i128::from(*value);
            let bucket = buckets.iter().position(|(from, to, _)| (*from..*to).contains(&value));
            *counts.entry(bucket.expect("every number has a bucket")).or_default() += 1;
        }
        let largest = counts.values().copied().max().unwrap_or(1);
        let (first, last) = (counts.keys().min().copied().unwrap_or(0), counts.keys().max().copied().unwrap_or(0));
        let mut text = String::new();
        for (bucket, (_, _, label)) in buckets.iter().enumerate().take(last + 1).skip(first) {
            let count = counts.get(&bucket).copied().unwrap_or(0);
            let bar = "@".repeat((count as f32 / largest as f32 * 52.0) as usize);
            writeln!(text, "{label:<16}{count:>8} |{bar:<52}|").expect("a string takes everything");
        }
        text
    }
}

/// The bounds of a bucket of `hist`, and its label.
fn power_of_two(index: u32) -> Bucket {
    match index {
        0 => (i128::MIN, 0, "(..., 0)".to_owned()),
        1 => (0, 1, "[0]".to_owned()),
        2 => (1, 2, "[1]".to_owned()),
        _ => {
            let (from, to) = (1 << (index - 2), 1 << (index - 1));
            (from, to, format!("[{}, {})", short(index - 2), short(index - 1)))
        }
    }
}

/// A power of two as histograms write it.
fn short(power: u32) -> String {
    let letters = ["", "K", "M", "G", "T", "P", "E", "Z"];
    format!("{}{}", 1u64 << (power % 10), letters[(power / 10) as usize])
}

/// The bounds of a bucket of `lhist` from 0 to 1000 in steps of 100, and its label.
fn hundreds(index: u32) -> Bucket {
    match index {
        0 => (i128::MIN, 0, "(..., 0)".to_owned()),
        1..=10 => {
            let from = (i128::from(index) - 1) * 100;
            (from, from + 100, format!("[{from}, {})", from + 100))
        }
        _ => (1000, i128::MAX, "[1000, ...)".to_owned()),
    }
}
