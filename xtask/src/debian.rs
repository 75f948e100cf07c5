//! Debian packages without installing them: a private apt state made from the machine's own apt sources, with source
//! packages enabled; downloads and unpacking with `dpkg`. Needs no privileges and leaves the machine's own package
//! state alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::program::{finish, output_of};

/// The release the recipes are written for.
const RELEASE: &str = "bookworm";

/// A private apt state with fresh package lists.
pub struct Apt {
    folder: PathBuf,
}

impl Apt {
    /// Makes `folder` and fills it with the package lists of the machine's sources for `RELEASE`.
    pub fn open(folder: &Path) -> Result<Apt> {
        let (stanzas, lines) = machine_sources(Path::new("/etc/apt"))?;
        if stanzas.is_empty() && lines.is_empty() {
            bail!("no apt source of Debian {RELEASE} in /etc/apt; the recipes need that release's packages");
        }
        Self::with_sources(folder, &stanzas, &lines)
    }

    /// The same for another of Debian's suites, from wherever the machine takes `RELEASE` itself.
    pub fn open_suite(folder: &Path, suite: &str) -> Result<Apt> {
        if suite == RELEASE {
            return Self::open(folder);
        }
        let (stanzas, lines) = machine_sources(Path::new("/etc/apt"))?;
        let (stanzas, lines) = (with_suite_deb822(&stanzas, suite), with_suite_one_line(&lines, suite));
        if stanzas.is_empty() && lines.is_empty() {
            bail!("no apt source of Debian {RELEASE} in /etc/apt that could lead to {suite}");
        }
        Self::with_sources(folder, &stanzas, &lines)
    }

    fn with_sources(folder: &Path, stanzas: &str, lines: &str) -> Result<Apt> {
        let parts = folder.join("sources");
        fs::create_dir_all(&parts)?;
        for sub in ["lists/partial", "cache/archives/partial", "downloads"] {
            fs::create_dir_all(folder.join(sub))?;
        }
        fs::write(parts.join("machine.sources"), stanzas)?;
        fs::write(parts.join("machine.list"), lines)?;
        let apt = Apt { folder: folder.to_owned() };
        apt.run(&["update"])?;
        Ok(apt)
    }

    /// The first package that `package` depends on, and that one's version: what a metapackage stands for.
    pub fn newest_dependency(&self, package: &str) -> Result<(String, String)> {
        let field = |package: &str, name: &str| -> Result<String> {
            let record = output_of(self.command("apt-cache").args(["show", "--no-all-versions", package]))?;
            let value = record.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            value.map(str::to_owned).with_context(|| format!("{package} has no {name}"))
        };
        let depends = field(package, "Depends")?;
        let dependency = depends.split([' ', ',']).next().unwrap_or_default().to_owned();
        let version = field(&dependency, "Version")?;
        Ok((dependency, version))
    }

    /// Downloads binary packages and unpacks them all into `target`, without their dependencies.
    pub fn unpack(&self, packages: &[&str], target: &Path) -> Result<()> {
        self.run(&[&["download"], packages].concat())?;
        fs::create_dir_all(target)?;
        for package in self.downloaded("deb")? {
            finish(Command::new("dpkg").arg("-x").arg(package).arg(target))?;
        }
        Ok(())
    }

    /// Downloads the upstream tarball of a source package.
    pub fn upstream_tarball(&self, source: &str) -> Result<PathBuf> {
        self.run(&["source", "--download-only", "--tar-only", source])?;
        let found = self.downloaded("gz")?;
        found.into_iter().next().with_context(|| format!("apt-get downloaded no tarball of {source}"))
    }

    fn downloaded(&self, extension: &str) -> Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(self.folder.join("downloads"))? {
            let path = entry?.path();
            if path.extension().is_some_and(|is| is == extension) {
                found.push(path);
            }
        }
        Ok(found)
    }

    fn run(&self, args: &[&str]) -> Result<()> {
        finish(self.command("apt-get").arg("-q").args(args))
    }

    /// One of apt's programs, told to use the private state.
    fn command(&self, program: &str) -> Command {
        let mut apt = Command::new(program);
        let option = |name: &str, path: &str| format!("{name}={}", self.folder.join(path).display());
        for setting in [
            option("Dir::Etc::sourceparts", "sources"),
            "Dir::Etc::sourcelist=/dev/null".to_owned(),
            option("Dir::State::lists", "lists"),
            option("Dir::Cache", "cache"),
            // apt's own user could not write below a private home.
            "APT::Sandbox::User=root".to_owned(),
            "Acquire::Retries=3".to_owned(),
        ] {
            apt.arg("-o").arg(setting);
        }
        apt.current_dir(self.folder.join("downloads"));
        apt
    }
}

/// The sources of the release below `etc_apt`, with their source packages: deb822 stanzas, and one-line entries.
fn machine_sources(etc_apt: &Path) -> Result<(String, String)> {
    let mut files = vec![etc_apt.join("sources.list")];
    if let Ok(entries) = fs::read_dir(etc_apt.join("sources.list.d")) {
        for entry in entries {
            files.push(entry?.path());
        }
    }
    files.sort();
    let (mut stanzas, mut lines) = (String::new(), String::new());
    for file in files.iter().filter(|file| file.is_file()) {
        let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        match file.extension().and_then(|name| name.to_str()) {
            Some("sources") => stanzas += &with_sources_deb822(&text),
            Some("list") => lines += &with_sources_one_line(&text),
            _ => {}
        }
    }
    Ok((stanzas, lines))
}

/// Keeps the stanzas that serve the release's main component and asks for both kinds of packages.
fn with_sources_deb822(text: &str) -> String {
    let mut kept = String::new();
    for stanza in text.split("\n\n") {
        let fields: Vec<&str> = stanza.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
        let has = |field: &str, word: fn(&str) -> bool| {
            let mut inside = false;
            fields.iter().any(|line| {
                let value = match line.split_once(':') {
                    Some((name, value)) if !line.starts_with([' ', '\t']) => {
                        inside = name.eq_ignore_ascii_case(field);
                        value
                    }
                    _ => line,
                };
                inside && value.split_whitespace().any(word)
            })
        };
        if has("Types", |w| w == "deb") && has("Suites", is_release) && is_main(has) && !has("Enabled", |w| w == "no") {
            let others = fields.iter().filter(|line| !line.to_ascii_lowercase().starts_with("types:"));
            kept += "Types: deb deb-src\n";
            others.for_each(|line| kept.extend([line, "\n"]));
            kept += "\n";
        }
    }
    kept
}

fn is_main(has: impl Fn(&str, fn(&str) -> bool) -> bool) -> bool {
    has("Components", |w| w == "main")
}

/// The same for `deb [options] URI SUITE COMPONENT...`.
fn with_sources_one_line(text: &str) -> String {
    let mut kept = String::new();
    for line in text.lines() {
        let Some(entry) = line.trim().strip_prefix("deb ") else { continue };
        let bare = match entry.split_once(']') {
            Some((_, rest)) if entry.trim_start().starts_with('[') => rest,
            _ => entry,
        };
        let mut words = bare.split_whitespace().skip(1);
        if words.next().is_some_and(is_release) && words.any(|word| word == "main") {
            for kind in ["deb", "deb-src"] {
                kept.extend([kind, " ", entry.trim(), "\n"]);
            }
        }
    }
    kept
}

/// Of stanzas that `with_sources_deb822` kept, those of the release itself (not its security archive, which is laid out
/// differently), with its suites replaced by `suite` and without source packages.
fn with_suite_deb822(stanzas: &str, suite: &str) -> String {
    let mut kept = String::new();
    for stanza in stanzas.split("\n\n") {
        let suites = stanza.lines().find(|line| line.to_ascii_lowercase().starts_with("suites:"));
        let Some(suites) = suites.filter(|line| line.split_whitespace().any(|word| word == RELEASE)) else { continue };
        for line in stanza.lines() {
            let lower = line.to_ascii_lowercase();
            match () {
                () if lower.starts_with("types:") => kept += "Types: deb",
                () if line == suites => kept.extend(["Suites: ", suite]),
                () if lower.starts_with("components:") => kept += "Components: main",
                () => kept += line,
            }
            kept += "\n";
        }
        kept += "\n";
    }
    kept
}

/// The same for one-line entries.
fn with_suite_one_line(lines: &str, suite: &str) -> String {
    let of_release = |line: &&str| line.starts_with("deb ") && line.split_whitespace().any(|word| word == RELEASE);
    let replaced = lines
        .lines()
        .filter(of_release)
        .map(|line| line.replace(&format!(" {RELEASE} "), &format!(" {suite} ")) + "\n");
    replaced.collect()
}

fn is_release(suite: &str) -> bool {
    suite.strip_prefix(RELEASE).is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '/']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stanza_of_the_release_gains_its_source_packages() {
        let text = "# comment\nTypes: deb\nURIs: mirror://one\nSuites: bookworm bookworm-updates\nComponents: main\n\n\
                    Types: deb\nURIs: mirror://two\nSuites: nodistro\nComponents: main\n";
        let expected =
            "Types: deb deb-src\nURIs: mirror://one\nSuites: bookworm bookworm-updates\nComponents: main\n\n";
        assert_eq!(with_sources_deb822(text), expected);
    }

    #[test]
    fn values_on_continued_lines_count_and_disabled_stanzas_do_not() {
        let text = "Types: deb\nURIs: mirror://one\nSuites:\n bookworm\nComponents: contrib\n main\n";
        assert!(with_sources_deb822(text).contains("Suites:\n bookworm\n"));
        assert_eq!(with_sources_deb822(&format!("{text}Enabled: no\n")), "");
    }

    #[test]
    fn a_one_line_entry_of_the_release_gains_its_source_packages() {
        let text = "# deb mirror://zero bookworm main\ndeb [arch=amd64] mirror://one bookworm-security main contrib\n\
                    deb mirror://two cloud-sdk-bookworm main\ndeb mirror://three bookworm stable\n";
        let entry = "[arch=amd64] mirror://one bookworm-security main contrib";
        assert_eq!(with_sources_one_line(text), format!("deb {entry}\ndeb-src {entry}\n"));
    }

    #[test]
    fn another_suite_comes_from_the_same_place() {
        let machine = with_sources_deb822(
            "Types: deb\nURIs: mirror://one\nSuites: bookworm bookworm-updates\nComponents: main\n\n\
             Types: deb\nURIs: mirror://two\nSuites: bookworm-security\nComponents: main\n",
        );
        assert_eq!(
            with_suite_deb822(&machine, "bullseye"),
            "Types: deb\nURIs: mirror://one\nSuites: bullseye\nComponents: main\n\n"
        );
        let machine =
            with_sources_one_line("deb mirror://one bookworm main\ndeb mirror://two bookworm-security main\n");
        assert_eq!(with_suite_one_line(&machine, "bullseye"), "deb mirror://one bullseye main\n");
    }
}
