//! Running a program to its end, quietly: its output is shown only when it fails.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// How many of a failing program's last lines its error shows.
const SHOWN_LINES: usize = 15;

/// Runs `command` without standard input; when it fails, the error ends with its last lines.
pub fn finish(command: &mut Command) -> Result<()> {
    output_of(command).map(drop)
}

/// The same, returning what the program wrote to standard output.
pub fn output_of(command: &mut Command) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let done =
        command.stdin(Stdio::null()).output().with_context(|| format!("cannot start {program} (is it installed?)"))?;
    if !done.status.success() {
        bail!("{program} failed: {}\n{}", done.status, last_lines(&[done.stdout, done.stderr].concat()));
    }
    Ok(String::from_utf8_lossy(&done.stdout).into_owned())
}

fn last_lines(output: &[u8]) -> String {
    let text = String::from_utf8_lossy(output);
    let lines: Vec<&str> = text.trim_end().lines().collect();
    lines.get(lines.len().saturating_sub(SHOWN_LINES)..).unwrap_or_default().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_program_reports_its_last_lines() {
        let failed = finish(Command::new("sh").args(["-c", "seq 30; echo end >&2; exit 3"])).unwrap_err().to_string();
        assert!(failed.starts_with("sh failed: exit status: 3\n17\n"), "{failed}");
        assert!(failed.ends_with("30\nend"), "{failed}");
    }

    #[test]
    fn a_missing_program_is_named() {
        let failed = finish(&mut Command::new("no-such-program")).unwrap_err();
        assert!(failed.to_string().contains("cannot start no-such-program"));
    }
}
