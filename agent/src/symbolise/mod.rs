//! Names for what a node's raw numbers stand for: addresses, stacks, users, cgroups, the time since boot.
//!
//! [`Symboliser`] is what `report` decodes with. It answers from what it has seen before, then asks the kernel's symbols, the
//! processes' files or the clock, each opened at its first use only. The stacks it is asked for by id lie in the maps of the
//! session it belongs to.

mod cgroups;
mod clock;
mod fixed;
mod frame;
mod past;
mod service;
mod users;

use std::cell::RefCell;
use std::collections::HashMap;
use std::os::fd::BorrowedFd;
use std::sync::Arc;

use jiff::Zoned;
use lang::compiled::{Compiled, Settings};
use report::schema::{StackMode, StackType, Type};
use report::symbols::Symbols;

use crate::kallsyms::Kallsyms;
use crate::load::Maps;

use past::{Past, Place};
use service::In;

pub use service::UserSymbol;

/// A stack of this session: how it is printed, its id, and the process if it is a user stack. Ids are not used twice.
type StackKey = (StackType, i64, Option<u32>);

/// How far up a process's parents are looked at for the program that all of them run.
const MOST_FORKS: usize = 8;

/// A process and an address in it.
type UserAddress = (u32, u64);

/// What one session has resolved so far.
#[derive(Debug, Default)]
pub struct Symboliser {
    kernel: RefCell<Option<Arc<Kallsyms>>>,
    stacks: RefCell<HashMap<StackKey, Vec<String>>>,
    user: RefCell<HashMap<UserAddress, Option<Arc<UserSymbol>>>>,
    fixed: fixed::Fixed,
    past: Past,
    users: users::Users,
    cgroups: cgroups::Cgroups,
    clock: clock::Clock,
}

impl Symboliser {
    /// For the events of a script, perhaps about one process. From now on it notes what processes map, where the script wants symbols
    /// of theirs.
    pub fn of(compiled: &Compiled, pid: Option<u32>) -> Self {
        let wants_symbols = compiled.schema.has(&|ty| matches!(ty, Type::Usym | Type::Ustack(_)));
        let past = if wants_symbols { Past::start(pid) } else { Past::default() };
        Self { fixed: fixed::Fixed::of(compiled), past, ..Self::default() }
    }

    /// Reads what processes have mapped since the last time.
    pub fn note_processes(&mut self) {
        self.past.read();
    }

    /// Readable when that should be done.
    pub fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.past.descriptors()
    }

    /// The symboliser of the session that owns `maps`, ready to decode with.
    pub fn with<'a>(&'a self, maps: &'a Maps, settings: &'a Settings) -> SessionSymbols<'a> {
        SessionSymbols { symboliser: self, maps, settings }
    }

    /// Local time so many nanoseconds after boot.
    pub fn at(&self, boot_nanos: u64) -> Zoned {
        self.clock.at(boot_nanos)
    }

    /// Local time now.
    pub fn now(&self) -> Zoned {
        self.clock.now()
    }

    /// Kernel symbols; without any where they cannot be read.
    fn kernel(&self) -> Arc<Kallsyms> {
        let mut kernel = self.kernel.borrow_mut();
        let symbols = kernel.get_or_insert_with(|| {
            Kallsyms::shared().unwrap_or_else(|error| {
                tracing::warn!(%error, "kernel addresses stay numbers");
                Arc::new(Kallsyms::parse(b""))
            })
        });
        Arc::clone(symbols)
    }

    fn user_symbols(&self, pid: u32, addresses: &[u64]) -> Vec<Option<Arc<UserSymbol>>> {
        let mut known = self.user.borrow_mut();
        let missing: Vec<u64> =
            addresses.iter().copied().filter(|address| !known.contains_key(&(pid, *address))).collect();
        if !missing.is_empty() {
            let found = service::symbolise(In::Process(pid), missing.clone());
            for (address, symbol) in missing.into_iter().zip(found) {
                let symbol =
                    symbol.or_else(|| self.fixed.find(pid, address)).or_else(|| self.past_symbol(pid, address));
                known.insert((pid, address), symbol.map(Arc::new));
            }
        }
        addresses.iter().map(|address| known.get(&(pid, *address)).cloned().flatten()).collect()
    }
}

impl Symboliser {
    /// The symbol at an address of a process that is gone.
    fn past_symbol(&self, mut pid: u32, address: u64) -> Option<UserSymbol> {
        for _ in 0..MOST_FORKS {
            let (place, address) = match self.past.place(pid, address)? {
                Place::File(path, offset) => (In::File(path), offset),
                Place::Process(parent) => {
                    pid = parent;
                    (In::Process(parent), address)
                }
            };
            let symbol = service::symbolise(place.clone(), vec![address]).pop().flatten();
            if symbol.is_some() || matches!(place, In::File(_)) {
                return symbol;
            }
        }
        None
    }
}

/// A session's symboliser together with its maps.
#[derive(Clone, Copy, Debug)]
pub struct SessionSymbols<'a> {
    symboliser: &'a Symboliser,
    maps: &'a Maps,
    settings: &'a Settings,
}

impl SessionSymbols<'_> {
    /// The frames of a stack, from its bytes through `frames` if it was not seen before.
    fn known(&self, key: StackKey, frames: impl FnOnce(&[u8]) -> Vec<String>) -> Vec<String> {
        if let Some(frames) = self.symboliser.stacks.borrow().get(&key) {
            return frames.clone();
        }
        let frames = frames(&self.stack(&key.0, key.1));
        if !frames.is_empty() {
            self.symboliser.stacks.borrow_mut().insert(key, frames.clone());
        }
        frames
    }

    /// What the map of stacks holds under a number; empty where it holds nothing.
    fn stack(&self, stack: &StackType, number: i64) -> Vec<u8> {
        let key = number.to_ne_bytes();
        let Some(map) = self.maps.stacks(stack.map) else { return Vec::new() };
        match map.lookup(&key) {
            Ok(found) => found.unwrap_or_default(),
            Err(error) => {
                tracing::warn!(%error, "a stack cannot be read");
                Vec::new()
            }
        }
    }
}

impl Symbols for SessionSymbols<'_> {
    fn trailer(&self, size: u32) -> &str {
        if size >= self.settings.cut_text_bytes { &self.settings.str_trunc_trailer } else { "" }
    }

    fn ksym(&self, address: u64) -> String {
        let kernel = self.symboliser.kernel();
        kernel.find(address).map_or_else(|| format!("{address:#x}"), |symbol| symbol.name.to_owned())
    }

    fn usym(&self, pid: u32, address: u64) -> String {
        let found = self.symboliser.user_symbols(pid, &[address]).pop().flatten();
        found.map_or_else(|| format!("{address:#x}"), |symbol| symbol.name.clone())
    }

    fn kernel_stack(&self, stack: &StackType, id: i64) -> Vec<String> {
        self.known((stack.clone(), id, None), |bytes| {
            let kernel = self.symboliser.kernel();
            let found: Vec<_> = frame::addresses(bytes).map(|address| (address, kernel.find(address))).collect();
            let machinery = frame::machinery(found.iter().map(|(_, symbol)| symbol.map(|symbol| symbol.name)));
            let frames = found.into_iter().skip(machinery).take(usize::from(stack.depth));
            frames.map(|(address, symbol)| frame::kernel(stack.mode, address, symbol)).collect()
        })
    }

    fn user_stack(&self, stack: &StackType, id: i64, pid: u32) -> Vec<String> {
        let depth = usize::from(stack.depth);
        self.known((stack.clone(), id, Some(pid)), |bytes| {
            if stack.mode == StackMode::BuildId {
                return frame::build_ids(bytes).take(depth).collect();
            }
            let addresses: Vec<u64> = frame::addresses(bytes).take(depth).collect();
            let symbols = match stack.mode {
                StackMode::Raw => vec![None; addresses.len()],
                _ => self.symboliser.user_symbols(pid, &addresses),
            };
            let frames = addresses.iter().zip(symbols);
            frames.map(|(address, symbol)| frame::user(stack.mode, *address, symbol.as_deref())).collect()
        })
    }

    fn username(&self, uid: u64) -> String {
        self.symboliser.users.name(uid)
    }

    fn cgroup_path(&self, id: u64) -> String {
        self.symboliser.cgroups.path(id)
    }

    fn wall_clock(&self, boot_nanos: u64) -> Zoned {
        self.symboliser.clock.at(boot_nanos)
    }
}
