//! The number of `-p`.

/// The largest process id of a 64-bit kernel.
const LARGEST: u32 = 0x40_0000;

/// Reads a process id; what is wrong with it in words for the user.
pub fn parse(text: &str) -> Result<u32, String> {
    let digits = text.chars().take_while(char::is_ascii_digit).count();
    let problem = match digits {
        0 => "invalid integer",
        _ if digits < text.len() => "invalid trailing bytes",
        _ => match text.parse() {
            Ok(pid) if pid <= LARGEST => return Ok(pid),
            _ => return Err(format!("Pid out of range: {text}")),
        },
    };
    Err(format!("Failed to parse pid: {problem}: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_id_is_a_number_in_range() {
        assert_eq!(parse("1234"), Ok(1234));
        for (text, problem) in [
            ("a1", "Failed to parse pid: invalid integer: a1"),
            ("", "Failed to parse pid: invalid integer: "),
            ("1a1", "Failed to parse pid: invalid trailing bytes: 1a1"),
            ("4194305", "Pid out of range: 4194305"),
            ("99999999999999999999", "Pid out of range: 99999999999999999999"),
        ] {
            assert_eq!(parse(text), Err(problem.to_owned()));
        }
    }
}
