//! Constants that the kernel's headers define as macros, so that its types do not tell them.
//!
//! Only what every kernel agrees on. Source: include/linux/socket.h, include/linux/sched.h, include/uapi/linux/stat.h,
//! include/uapi/asm-generic/fcntl.h and include/uapi/linux/in.h of the kernel.

/// Name and value, in name order.
const CONSTANTS: &[(&str, i64)] = &[
    ("AF_INET", 2),
    ("AF_INET6", 10),
    ("AF_NETLINK", 16),
    ("AF_PACKET", 17),
    ("AF_UNIX", 1),
    ("AF_UNSPEC", 0),
    ("AF_VSOCK", 40),
    ("IPPROTO_ICMP", 1),
    ("IPPROTO_ICMPV6", 58),
    ("IPPROTO_TCP", 6),
    ("IPPROTO_UDP", 17),
    ("O_APPEND", 0o2000),
    ("O_CREAT", 0o100),
    ("O_EXCL", 0o200),
    ("O_NONBLOCK", 0o4000),
    ("O_RDONLY", 0),
    ("O_RDWR", 2),
    ("O_TRUNC", 0o1000),
    ("O_WRONLY", 1),
    ("S_IFBLK", 0o060_000),
    ("S_IFCHR", 0o020_000),
    ("S_IFDIR", 0o040_000),
    ("S_IFIFO", 0o010_000),
    ("S_IFLNK", 0o120_000),
    ("S_IFMT", 0o170_000),
    ("S_IFREG", 0o100_000),
    ("S_IFSOCK", 0o140_000),
    ("TASK_INTERRUPTIBLE", 1),
    ("TASK_RUNNING", 0),
    ("TASK_UNINTERRUPTIBLE", 2),
];

/// The value of a constant.
pub fn find(name: &str) -> Option<i64> {
    let index = CONSTANTS.binary_search_by_key(&name, |(name, _)| name).ok()?;
    CONSTANTS.get(index).map(|(_, value)| *value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_are_listed_in_order() {
        assert!(CONSTANTS.is_sorted_by(|a, b| a.0 < b.0));
        assert_eq!(find("AF_INET6"), Some(10));
        assert_eq!(find("AF_NONE"), None);
    }
}
