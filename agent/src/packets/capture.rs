//! Files of packets in the form that libpcap and its kin read.
//!
//! Source: the Internet Draft draft-ietf-opsawg-pcap. Numbers are in the byte order of the machine, which the file's first word tells.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};

use jiff::Timestamp;
use report::event::Packet;
use report::schema::{EventKind, Schema};

/// The first word, which tells times in microseconds.
const MAGIC: u32 = 0xa1b2_c3d4;
/// The version of the form: 2.4.
const VERSION: [u16; 2] = [2, 4];
/// Packets are at most as long as they can be.
const LONGEST: u32 = 65535;
/// `LINKTYPE_RAW`: packets start with the header of IPv4 or IPv6.
const RAW_IP: u32 = 101;

/// A file that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {error}")]
pub struct CaptureError {
    /// Which.
    pub path: String,
    /// Why.
    pub error: io::Error,
}

/// The files a script writes packets to, by their paths.
#[derive(Debug, Default)]
pub struct Captures {
    files: BTreeMap<String, BufWriter<File>>,
}

impl Captures {
    /// Makes the files that a script names, empty but for what they start with.
    pub fn of(schema: &Schema) -> Result<Self, CaptureError> {
        let mut captures = Self::default();
        for event in &schema.events {
            if let EventKind::Packet { path, .. } = &event.kind
                && !captures.files.contains_key(path)
            {
                let failed = |error| CaptureError { path: path.clone(), error };
                let mut file = BufWriter::new(File::create(path).map_err(failed)?);
                file.write_all(&start()).and_then(|()| file.flush()).map_err(failed)?;
                captures.files.insert(path.clone(), file);
            }
        }
        Ok(captures)
    }

    /// Adds a packet, seen at this moment. One of which nothing is left is not written.
    pub fn write(&mut self, packet: &Packet, seen: Timestamp) -> Result<(), CaptureError> {
        let Some(file) = self.files.get_mut(&packet.path).filter(|_| !packet.bytes.is_empty()) else { return Ok(()) };
        let written = file.write_all(&head(packet.bytes.len(), seen)).and_then(|()| file.write_all(&packet.bytes));
        written.map_err(|error| CaptureError { path: packet.path.clone(), error })
    }

    /// Hands everything to the system.
    pub fn flush(&mut self) -> Result<(), CaptureError> {
        for (path, file) in &mut self.files {
            file.flush().map_err(|error| CaptureError { path: path.clone(), error })?;
        }
        Ok(())
    }
}

/// What a file starts with.
fn start() -> Vec<u8> {
    let [major, minor] = VERSION.map(u16::to_ne_bytes);
    // Between them the zone of the times, UTC, and how exact they are, which nobody says.
    [&MAGIC.to_ne_bytes()[..], &major, &minor, &[0; 8], &LONGEST.to_ne_bytes(), &RAW_IP.to_ne_bytes()].concat()
}

/// What stands before a packet: when it was seen, how much of it was kept, and how long it was.
fn head(length: usize, seen: Timestamp) -> Vec<u8> {
    let words = [seen.as_second() as u32, seen.subsec_microsecond().unsigned_abs(), length as u32, length as u32];
    words.map(u32::to_ne_bytes).concat()
}

#[cfg(test)]
mod tests {
    use report::schema::EventSchema;

    use super::*;

    #[test]
    fn a_file_starts_with_its_form_and_holds_packets_with_their_times() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.pcap").display().to_string();
        let event = EventSchema { kind: EventKind::Packet { path: path.clone(), skip: 0 }, size: 24 };
        let schema = Schema { events: vec![event.clone(), event], ..Schema::default() };
        let mut captures = Captures::of(&schema).unwrap();
        let seen = Timestamp::new(3, 4_005_000).unwrap();
        for bytes in [b"abc".to_vec(), vec![]] {
            captures.write(&Packet { path: path.clone(), nanoseconds: 0, bytes }, seen).unwrap();
        }
        captures.flush().unwrap();
        let written = std::fs::read(&path).unwrap();
        let words: Vec<u32> = written[..40].as_chunks().0.iter().map(|word| u32::from_ne_bytes(*word)).collect();
        assert_eq!(words, [0xa1b2_c3d4, 0x0004_0002, 0, 0, 65535, 101, 3, 4005, 3, 3]);
        assert_eq!(&written[40..], b"abc");
    }

    #[test]
    fn a_file_that_cannot_be_made_is_named() {
        let event = EventSchema { kind: EventKind::Packet { path: "/nowhere/a.pcap".into(), skip: 0 }, size: 24 };
        let error = Captures::of(&Schema { events: vec![event], ..Schema::default() }).unwrap_err();
        assert_eq!(error.to_string(), "/nowhere/a.pcap: No such file or directory (os error 2)");
    }
}
