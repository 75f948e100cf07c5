//! Paths of control groups by their ids.
//!
//! An id is the inode number of the group's directory in the unified hierarchy (cgroup v2).

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::DirEntryExt;
use std::path::{Path, PathBuf};

/// The control groups seen so far.
#[derive(Debug, Default)]
pub struct Cgroups {
    paths: RefCell<HashMap<u64, String>>,
}

impl Cgroups {
    /// The path of a group below the root of its hierarchy, after the hierarchy's name: `unified:/system.slice`. The number
    /// where there is none, as for a group that is gone.
    pub fn path(&self, id: u64) -> String {
        if let Some(path) = self.paths.borrow().get(&id) {
            return path.clone();
        }
        let mut paths = self.paths.borrow_mut();
        // Groups come and go: those that were not there before may be by now.
        for root in roots() {
            walk(&root, &root, &mut paths);
        }
        paths.get(&id).cloned().unwrap_or_else(|| id.to_string())
    }
}

/// Where unified hierarchies are mounted.
fn roots() -> Vec<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let unified = mounts.lines().filter_map(|line| {
        let mut columns = line.split(' ').skip(1);
        let place = columns.next()?;
        (columns.next()? == "cgroup2").then(|| PathBuf::from(place))
    });
    unified.collect()
}

fn walk(root: &Path, directory: &Path, paths: &mut HashMap<u64, String>) {
    if directory == root
        && let Ok(metadata) = fs::metadata(root)
    {
        paths.insert(std::os::unix::fs::MetadataExt::ino(&metadata), "unified:/".to_owned());
    }
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
        let path = entry.path();
        let below = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
        paths.insert(entry.ino(), format!("unified:/{below}"));
        walk(root, &path, paths);
    }
}
