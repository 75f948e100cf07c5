//! The two programs that run a script: ours, and bpftrace as the reference it is compared with.

use std::path::{Path, PathBuf};

/// A tracer's binary, and how it takes a script.
#[derive(Debug, Clone)]
pub struct Tracer {
    pub path: PathBuf,
    /// Arguments before the script's text.
    pub arguments: &'static [&'static str],
    /// Whether it says that its probes are attached only when they are. bpftrace 0.17 says so before it compiles.
    pub announces_late: bool,
}

impl Tracer {
    /// A binary called `bpftrace` is the reference, any other one is ours.
    pub fn new(path: &Path) -> Self {
        let path = path.to_owned();
        if path.file_name().is_some_and(|name| name == "bpftrace") {
            Self { path, arguments: &["-e"], announces_late: false }
        } else {
            Self { path, arguments: &["run", "-e"], announces_late: true }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bpftrace_is_known_by_its_name() {
        assert!(!Tracer::new(Path::new("/usr/bin/bpftrace")).announces_late);
        assert_eq!(Tracer::new(Path::new("target/release/bpfleet")).arguments, ["run", "-e"]);
    }
}
