//! What a case must have printed: lines and histograms in bpftrace's text form, compared number by number.

/// One expectation on a tracer's standard output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    /// This line, exactly.
    Line(String),
    /// A line of this form, where `*` is anything and `?` any character.
    Like(String),
    /// A histogram with these non-empty rows and no others.
    Rows(String, Vec<(String, u64)>),
    /// A histogram with this row; what else it counted is not ours to know.
    Row(String, String, u64),
    /// A histogram over this many values.
    Values(String, u64),
}

impl Expect {
    /// An expectation as a case writes it: `line: TEXT`, `like: PATTERN`, `rows: @map = LABEL COUNT; ...`, `row: @map = LABEL COUNT` or
    /// `values: @map = COUNT`.
    pub fn parse(word: &str, value: &str) -> Option<Self> {
        let histogram = || value.split_once(" = ").map(|(map, rest)| (map.to_owned(), rest));
        let labelled = |text: &str| {
            let (label, count) = text.trim().rsplit_once(' ')?;
            Some((label.to_owned(), count.parse().ok()?))
        };
        match word {
            "line" => Some(Self::Line(value.to_owned())),
            "like" => Some(Self::Like(value.to_owned())),
            "rows" => {
                let (map, rows) = histogram()?;
                Some(Self::Rows(map, rows.split(';').map(labelled).collect::<Option<_>>()?))
            }
            "row" => {
                let (map, row) = histogram()?;
                labelled(row).map(|(label, count)| Self::Row(map, label, count))
            }
            "values" => {
                let (map, count) = histogram()?;
                Some(Self::Values(map, count.parse().ok()?))
            }
            _ => None,
        }
    }

    /// What is wrong, in words, when the output does not meet the expectation.
    pub fn check(&self, output: &str) -> Result<(), String> {
        let (holds, otherwise) = match self {
            Self::Line(line) => (output.lines().any(|printed| printed == line), format!("no line `{line}`")),
            Self::Like(pattern) => {
                (output.lines().any(|printed| is_like(pattern, printed)), format!("no line like `{pattern}`"))
            }
            Self::Rows(map, expected) => {
                let found: Vec<_> = rows(output, map)?.into_iter().filter(|(_, count)| *count > 0).collect();
                let wanted: Vec<_> = expected.iter().map(|(label, count)| (label.as_str(), *count)).collect();
                (found == wanted, format!("{map} holds {found:?}, expected {wanted:?}"))
            }
            Self::Row(map, label, expected) => {
                let found = rows(output, map)?;
                let count = found.iter().find(|row| row.0 == label).map_or(0, |row| row.1);
                (count == *expected, format!("{map} counts {count} in {label}, expected {expected}"))
            }
            Self::Values(map, expected) => {
                let count: u64 = rows(output, map)?.iter().map(|row| row.1).sum();
                (count == *expected, format!("{map} counts {count} values, expected {expected}"))
            }
        };
        if holds { Ok(()) } else { Err(otherwise) }
    }
}

/// Whether a line matches a pattern of `*` and `?`.
fn is_like(pattern: &str, line: &str) -> bool {
    let mut pattern = pattern.chars();
    match pattern.next() {
        None => line.is_empty(),
        Some('*') => {
            let rest = pattern.as_str();
            line.char_indices().map(|(at, _)| &line[at..]).chain([""]).any(|tail| is_like(rest, tail))
        }
        Some(wanted) => {
            let mut line = line.chars();
            line.next().is_some_and(|c| wanted == '?' || wanted == c) && is_like(pattern.as_str(), line.as_str())
        }
    }
}

/// The rows below the line `MAP:`, as (label, count).
fn rows<'a>(output: &'a str, map: &str) -> Result<Vec<(&'a str, u64)>, String> {
    let header = format!("{map}:");
    let mut lines = output.lines().skip_while(|line| line.trim_end() != header);
    lines.next().ok_or_else(|| format!("no histogram {map}"))?;
    Ok(lines.map_while(row).collect())
}

/// `LABEL COUNT |@@@ |`, where the label may hold blanks.
fn row(line: &str) -> Option<(&str, u64)> {
    let (left, _) = line.split_once('|')?;
    let (label, count) = left.trim_end().rsplit_once(' ')?;
    Some((label.trim_end(), count.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "Attaching 1 probe...\n\n\n@bytes: \n\
        (..., 0)               1 |@                   |\n\
        [0, 200)               0 |                    |\n\
        [200, 400)            40 |@@@@@               |\n\n\
        @ns[dd]: \n[1K, 2K)               7 |@@@@@@@@@@@@@@@@@@@@|\n\n@n: 12\n";

    #[track_caller]
    fn expect(text: &str, holds: bool) {
        let (word, value) = text.split_once(": ").unwrap();
        assert_eq!(Expect::parse(word, value).unwrap().check(OUTPUT).is_ok(), holds, "{text}");
    }

    #[test]
    fn a_histogram_is_compared_row_by_row() {
        expect("rows: @bytes = (..., 0) 1; [200, 400) 40", true);
        expect("rows: @bytes = [200, 400) 40", false);
        expect("rows: @bytes = (..., 0) 1; [200, 400) 41", false);
    }

    #[test]
    fn one_row_or_the_number_of_values_can_be_asked_for() {
        expect("row: @bytes = [200, 400) 40", true);
        expect("values: @bytes = 41", true);
        expect("values: @ns[dd] = 7", true);
        expect("values: @ns[cat] = 0", false);
    }

    #[test]
    fn a_line_must_match_as_a_whole() {
        expect("line: @n: 12", true);
        expect("line: @n: 1", false);
        expect("like: @n: 1?", true);
        expect("like: *ing 1 probe*", true);
        expect("like: @n: 1", false);
        expect("like: @n: *3", false);
    }

    #[test]
    fn an_unknown_expectation_is_none() {
        assert_eq!(Expect::parse("lines", "@n: 12"), None);
        assert_eq!(Expect::parse("values", "@n: 12"), None);
    }
}
