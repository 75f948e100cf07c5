//! Names with wildcards, as attach points have them: `*` stands for any text, `?` for one character, `[ab]` for one of several.

/// Whether `text` has a wildcard in it.
pub fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// Whether the pattern stands for this name.
pub fn matches(pattern: &str, name: &str) -> bool {
    let pattern = pattern.as_bytes();
    let name = name.as_bytes();
    let (mut p, mut n) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while n < name.len() {
        match step(pattern, p, name.get(n).copied()) {
            Step::Star => {
                retry = Some((p + 1, n));
                p += 1;
            }
            Step::One(next) => {
                p = next;
                n += 1;
            }
            Step::Fail => match retry {
                Some((after, from)) => {
                    retry = Some((after, from + 1));
                    p = after;
                    n = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).is_some_and(|rest| rest.iter().all(|c| *c == b'*'))
}

enum Step {
    /// A star: try with nothing first.
    Star,
    /// One character matches; the pattern goes on there.
    One(usize),
    Fail,
}

fn step(pattern: &[u8], at: usize, c: Option<u8>) -> Step {
    match pattern.get(at) {
        Some(b'*') => Step::Star,
        Some(b'?') => Step::One(at + 1),
        Some(b'[') => match pattern.get(at + 1..).and_then(|set| Some((set, set.iter().position(|c| *c == b']')?))) {
            Some((set, end)) if c.is_some_and(|c| set.get(..end).is_some_and(|set| set.contains(&c))) => {
                Step::One(at + end + 2)
            }
            _ => Step::Fail,
        },
        Some(expected) if Some(*expected) == c => Step::One(at + 1),
        _ => Step::Fail,
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_any_text_also_none() {
        assert!(matches("sched*", "sched_switch"));
        assert!(matches("sched*", "sched"));
        assert!(matches("*_enter_*at", "sys_enter_openat"));
        assert!(!matches("sys_enter_*x", "sys_enter_openat"));
    }

    #[test]
    fn a_question_mark_and_a_set_stand_for_one_character() {
        assert!(matches("vfs_rea?", "vfs_read"));
        assert!(!matches("vfs_rea?", "vfs_rea"));
        assert!(matches("vfs_[rw]*", "vfs_write"));
        assert!(!matches("vfs_[rw]*", "vfs_open"));
    }
}
