//! Ids of cgroups by their paths.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;

/// What statfs(2) calls the file system of version 2: include/uapi/linux/magic.h.
const CGROUP2: i64 = 0x6367_7270;

/// The ids of those paths that are cgroups of version 2: the inodes of their folders, on 64-bit machines.
pub fn ids(paths: &[String]) -> BTreeMap<String, u64> {
    paths.iter().filter_map(|path| Some((path.clone(), id(path)?))).collect()
}

fn id(path: &str) -> Option<u64> {
    let filesystem = rustix::fs::statfs(path).ok()?;
    let folder = fs::metadata(path).ok().filter(fs::Metadata::is_dir)?;
    (filesystem.f_type as i64 == CGROUP2).then(|| folder.ino())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_folders_are_no_cgroups() {
        assert_eq!(ids(&["/".to_owned(), "/nowhere".to_owned()]), BTreeMap::new());
    }
}
