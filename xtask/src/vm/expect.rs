//! What a case must have printed: lines and histograms in bpftrace's text form, compared number by number.

/// One expectation on a tracer's standard output.
pub enum Expect {
    /// This line, exactly.
    Line(&'static str),
    /// A histogram with these non-empty rows and no others.
    Rows(&'static str, &'static [(&'static str, u64)]),
    /// A histogram with this row; what else it counted is not ours to know.
    Row(&'static str, &'static str, u64),
    /// A histogram over this many values.
    Values(&'static str, u64),
}

impl Expect {
    /// What is wrong, in words, when the output does not meet the expectation.
    pub fn check(&self, output: &str) -> Result<(), String> {
        match *self {
            Self::Line(line) if output.lines().any(|printed| printed == line) => Ok(()),
            Self::Line(line) => Err(format!("no line `{line}`")),
            Self::Rows(map, expected) => {
                let found: Vec<_> = rows(output, map)?.into_iter().filter(|(_, count)| *count > 0).collect();
                let same = found.len() == expected.len()
                    && found.iter().zip(expected).all(|(row, (label, count))| row == &(*label, *count));
                if same { Ok(()) } else { Err(format!("{map} holds {found:?}, expected {expected:?}")) }
            }
            Self::Row(map, label, expected) => {
                let found = rows(output, map)?;
                let count = found.iter().find(|row| row.0 == label).map_or(0, |row| row.1);
                if count == expected {
                    Ok(())
                } else {
                    Err(format!("{map} counts {count} in {label}, expected {expected}"))
                }
            }
            Self::Values(map, expected) => {
                let count: u64 = rows(output, map)?.iter().map(|row| row.1).sum();
                if count == expected {
                    Ok(())
                } else {
                    Err(format!("{map} counts {count} values, expected {expected}"))
                }
            }
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

    #[test]
    fn a_histogram_is_compared_row_by_row() {
        assert_eq!(Expect::Rows("@bytes", &[("(..., 0)", 1), ("[200, 400)", 40)]).check(OUTPUT), Ok(()));
        assert!(Expect::Rows("@bytes", &[("[200, 400)", 40)]).check(OUTPUT).is_err());
        assert!(Expect::Rows("@bytes", &[("(..., 0)", 1), ("[200, 400)", 41)]).check(OUTPUT).is_err());
    }

    #[test]
    fn one_row_or_the_number_of_values_can_be_asked_for() {
        assert_eq!(Expect::Row("@bytes", "[200, 400)", 40).check(OUTPUT), Ok(()));
        assert_eq!(Expect::Values("@bytes", 41).check(OUTPUT), Ok(()));
        assert_eq!(Expect::Values("@ns[dd]", 7).check(OUTPUT), Ok(()));
        assert!(Expect::Values("@ns[cat]", 0).check(OUTPUT).is_err());
    }

    #[test]
    fn a_line_must_match_as_a_whole() {
        assert_eq!(Expect::Line("@n: 12").check(OUTPUT), Ok(()));
        assert!(Expect::Line("@n: 1").check(OUTPUT).is_err());
    }
}
