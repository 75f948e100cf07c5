//! Names of users, as /etc/passwd has them.

use std::cell::OnceCell;
use std::collections::HashMap;

/// The users of this machine, read at the first question.
#[derive(Debug, Default)]
pub struct Users {
    names: OnceCell<HashMap<u64, String>>,
}

impl Users {
    /// The name of a user; the number where it has none.
    pub fn name(&self, uid: u64) -> String {
        let names = self.names.get_or_init(|| parse(&std::fs::read_to_string("/etc/passwd").unwrap_or_default()));
        names.get(&uid).cloned().unwrap_or_else(|| uid.to_string())
    }
}

/// `name:password:uid:...`; of several names for one uid the first counts.
fn parse(text: &str) -> HashMap<u64, String> {
    let mut names = HashMap::new();
    for line in text.lines() {
        let mut columns = line.split(':');
        if let (Some(name), Some(uid)) = (columns.next(), columns.nth(1).and_then(|uid| uid.parse().ok())) {
            names.entry(uid).or_insert_with(|| name.to_owned());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_name_of_a_uid_counts() {
        let names = parse("root:x:0:0:root:/root:/bin/bash\ntoor:x:0:0::/:/bin/sh\n\nbroken\nweb:x:33:33::/:\n");
        assert_eq!(names.get(&0).map(String::as_str), Some("root"));
        assert_eq!(names.get(&33).map(String::as_str), Some("web"));
        assert_eq!(names.len(), 2);
    }
}
