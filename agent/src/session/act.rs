//! Carries out what a script's events ask for.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Command, Stdio};

use report::event::Event;
use report::schema::MapId;
use report::snapshot::Kind;
use report::strftime;
use report::value::Text;

use super::output::{Output, Sink};
use super::{Session, SessionError};
use crate::read::UserMap;

impl Session {
    /// Does what one event asks.
    pub(super) fn act(&mut self, event: Event, sink: &mut dyn Sink) -> Result<(), SessionError> {
        let output = match event {
            Event::Printf { to, text } => Output::Printf { to, text },
            Event::PrintValue(value) => Output::Value(value),
            Event::PrintMap { map, top, div } => {
                let map = self.map(map)?;
                let data = map.read(&self.symbols())?;
                Output::Map { name: map.name().to_owned(), data, top, div }
            }
            Event::PrintKey { map, bytes, .. } => match self.row(map, &bytes)? {
                Some(output) => output,
                None => return Ok(()),
            },
            Event::Clear(map) => return Ok(self.map(map)?.clear()?),
            Event::Zero(map) => return Ok(self.map(map)?.zero()?),
            Event::Time { format } => Output::Time(strftime::time(&format, &self.symboliser.now())),
            Event::Join(text) => Output::Join(text),
            Event::Cat { path } => cat(&path, self.compiled.settings.max_cat_bytes),
            Event::System { command } => system(&command),
            Event::Unwatch { address } => {
                self.attached.iter_mut().for_each(|attached| attached.unwatch(address));
                return Ok(());
            }
            Event::Packet(packet) => {
                let seen = self.symboliser.at(packet.nanoseconds);
                return Ok(self.captures.write(&packet, seen.timestamp())?);
            }
            Event::HelperError(error) => Output::HelperError(error),
            // The machine takes this one itself.
            Event::Exit { .. } => return Ok(()),
        };
        Ok(sink.take(output)?)
    }

    pub(super) fn map(&self, id: MapId) -> Result<UserMap<'_>, SessionError> {
        Ok(UserMap::of(&self.compiled.schema, &self.loaded.maps, id)?)
    }

    /// What `print(@m[key])` prints; nothing where the row is gone by now.
    fn row(&self, id: MapId, key: &[u8]) -> Result<Option<Output>, SessionError> {
        let cell = self.map(id)?.read_row(key, &self.symbols())?;
        let schema = self.compiled.schema.maps.get(usize::from(id.0));
        Ok(cell.zip(schema).map(|(cell, schema)| Output::Row { kind: Kind::from(&schema.kind), cell }))
    }
}

/// The start of a file, at most `most` bytes.
fn cat(path: &Text, most: u32) -> Output {
    let path = Path::new(std::ffi::OsStr::from_bytes(&path.0));
    let mut contents = Vec::new();
    let read = File::open(path).and_then(|file| file.take(u64::from(most)).read_to_end(&mut contents));
    match read {
        Ok(_) => Output::Cat(Text(contents)),
        Err(error) => {
            let reason = error.to_string();
            let reason = reason.split(" (os error").next().unwrap_or_default();
            Output::Failed(format!("failed to open file '{}' ({reason})", path.display()))
        }
    }
}

/// What a shell command prints.
fn system(command: &Text) -> Output {
    let run = || -> io::Result<Vec<u8>> {
        let shell = Command::new("/bin/sh")
            .arg("-c")
            .arg(std::ffi::OsStr::from_bytes(&command.0))
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()?;
        Ok(shell.stdout)
    };
    match run() {
        Ok(printed) => Output::System(Text(printed)),
        Err(error) => Output::Failed(format!("system: {error}")),
    }
}
