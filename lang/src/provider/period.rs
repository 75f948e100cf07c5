//! How often a timed probe fires, as its attach point writes it: `s:5`, `5s`, `hz:99`.

use crate::ast::AttachPoint;
use crate::expand::Expand;

/// A period or a rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// Times per second.
    Hertz(u64),
    /// Nanoseconds from one to the next.
    Nanoseconds(u64),
}

/// Reads the period of an attach point; `None` where there is none that can be kept.
pub fn period(expand: &Expand<'_>, point: &AttachPoint) -> Option<Period> {
    let first = expand.part(point, 0)?;
    let period = match point.parts.len() {
        1 => {
            let digits = first.bytes().take_while(u8::is_ascii_digit).count();
            let (number, unit) = first.split_at_checked(digits)?;
            // Without a unit the number counts nanoseconds.
            of_unit(if unit.is_empty() { "ns" } else { unit }, number)
        }
        2 => of_unit(&first, &expand.part(point, 1)?),
        _ => None,
    }?;
    match period {
        Period::Hertz(0) | Period::Nanoseconds(0) => None,
        period => Some(period),
    }
}

fn of_unit(unit: &str, number: &str) -> Option<Period> {
    let number: u64 = number.replace('_', "").parse().ok()?;
    let scale = match unit {
        "hz" => return Some(Period::Hertz(number)),
        "ns" => 1,
        "us" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        "d" => 86_400_000_000_000,
        _ => return None,
    };
    number.checked_mul(scale).map(Period::Nanoseconds)
}
