//! Symbols of user processes, found by one thread for all sessions of this process.
//!
//! blazesym's symbolizer must stay on one thread and keeps parsed files in memory: so it lives on a thread of its own, is shared,
//! and is dropped when nobody has asked for a while. The first answer takes about 100 ms, later ones well under one.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use blazesym::symbolize::source::{Elf, Process, Source};
use blazesym::symbolize::{Input, Symbolized, Symbolizer};

use crate::sys::cut_off;

/// How long the parsed files stay in memory without a question.
const IDLE: Duration = Duration::from_secs(30);

/// A symbol of a user process, as seen from an address in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserSymbol {
    /// Its name.
    pub name: String,
    /// Bytes from its start to the address.
    pub offset: u64,
    /// The file it comes from.
    pub module: Option<String>,
}

/// Where addresses lie.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum In {
    /// In a process that still runs.
    Process(u32),
    /// In a file: they are offsets into it.
    File(String),
}

struct Question {
    place: In,
    addresses: Vec<u64>,
    answer: Sender<Vec<Option<UserSymbol>>>,
}

/// The way to the thread, while there is one.
static SERVICE: Mutex<Option<Sender<Question>>> = Mutex::new(None);

/// The symbols at `addresses`, in the same order; `None` where there is none to be found.
pub fn symbolise(place: In, addresses: Vec<u64>) -> Vec<Option<UserSymbol>> {
    let count = addresses.len();
    ask(place, addresses).unwrap_or_else(|| vec![None; count])
}

fn ask(place: In, addresses: Vec<u64>) -> Option<Vec<Option<UserSymbol>>> {
    let (answer, answers) = channel();
    let mut question = Question { place, addresses, answer };
    let mut service = SERVICE.lock().unwrap_or_else(PoisonError::into_inner);
    // The thread may have ended for want of questions, so that the first attempt finds nobody.
    for _ in 0..2 {
        let sender = match &*service {
            Some(sender) => sender.clone(),
            None => service.insert(start()?).clone(),
        };
        match sender.send(question) {
            Ok(()) => {
                drop(service);
                return answers.recv().ok();
            }
            Err(unsent) => {
                question = unsent.0;
                *service = None;
            }
        }
    }
    None
}

fn start() -> Option<Sender<Question>> {
    let (sender, questions) = channel::<Question>();
    // Other people's files are mapped to be looked at.
    cut_off::read_as_zeroes();
    let serve = move || {
        let symbolizer = Symbolizer::builder().enable_code_info(false).enable_inlined_fns(false).build();
        loop {
            match questions.recv_timeout(IDLE) {
                Ok(Question { place, addresses, answer }) => {
                    // Whoever asked may be gone by now.
                    let _ = answer.send(find(&symbolizer, &place, &addresses));
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return,
            }
        }
    };
    match std::thread::Builder::new().name("symbolise".to_owned()).spawn(serve) {
        Ok(_) => Some(sender),
        Err(error) => {
            tracing::warn!(%error, "user addresses stay numbers");
            None
        }
    }
}

fn find(symbolizer: &Symbolizer, place: &In, addresses: &[u64]) -> Vec<Option<UserSymbol>> {
    let found = match place {
        In::Process(pid) => {
            let mut process = Process::new((*pid).into());
            process.debug_syms = false;
            symbolizer.symbolize(&Source::Process(process), Input::AbsAddr(addresses))
        }
        In::File(path) => {
            let mut file = Elf::new(path);
            file.debug_syms = false;
            symbolizer.symbolize(&Source::Elf(file), Input::FileOffset(addresses))
        }
    };
    match found {
        Ok(found) => found.into_iter().map(user_symbol).collect(),
        Err(error) => {
            tracing::debug!(?place, %error, "no symbols");
            vec![None; addresses.len()]
        }
    }
}

fn user_symbol(found: Symbolized<'_>) -> Option<UserSymbol> {
    let symbol = found.into_sym()?;
    Some(UserSymbol {
        name: symbol.name.into_owned(),
        offset: symbol.offset as u64,
        module: symbol.module.map(|module| module.to_string_lossy().into_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_of_this_process_has_its_name() {
        let address = a_function_of_this_process_has_its_name as *const () as u64;
        let found = symbolise(In::Process(std::process::id()), vec![address, 1]);
        let name = &found[0].as_ref().expect("our own symbol").name;
        assert!(name.contains("a_function_of_this_process_has_its_name"), "{name}");
        assert_eq!(found[1], None);
    }

    #[test]
    fn a_process_that_is_gone_has_no_symbols() {
        assert_eq!(symbolise(In::Process(u32::MAX / 4), vec![4096]), [None]);
    }
}
