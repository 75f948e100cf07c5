//! Free TCP ports on 127.0.0.1.

use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, TcpListener};

/// Below the range from which Linux takes the ports of outgoing connections, so that none of those can take a port
/// between this look and its use.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// A port that nobody listens on now, chosen at random.
pub fn free() -> u16 {
    (0_u32..)
        .map(|attempt| FIRST + (RandomState::new().hash_one(attempt) % u64::from(COUNT)) as u16)
        .find(|&port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok())
        .expect("a free port")
}
