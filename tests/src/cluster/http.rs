//! Plain HTTP on loopback, one request a connection.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(10);

/// What `GET http://ADDRESS/PATH` gives when the answer is 200.
///
/// # Errors
/// No connection, no answer, or another status: in words.
pub fn get(address: &str, path: &str) -> Result<String, String> {
    let answer = exchange(address, path).map_err(|error| format!("{address}{path}: {error}"))?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(|| format!("{address}{path}: no answer"))?;
    match head.split(' ').nth(1) {
        Some("200") => Ok(body.to_owned()),
        _ => Err(answer),
    }
}

fn exchange(address: &str, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    // With version 1.0 the body is neither cut into chunks nor followed by anything.
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
