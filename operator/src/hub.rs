//! The index as the edges share it: one lock, one clock, and wakers for the assignment streams.
//!
//! Effects on nodes become wake-ups here; the other effects go into a channel for whoever writes them down.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use api::wire::{Desired, Reply, Report};
use jiff::Timestamp;
use report::patch::Patch;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;

use crate::index::{Effect, Event, Index, Settings};

/// The shared index.
#[derive(Debug)]
pub struct Hub {
    index: Mutex<Index>,
    streams: Mutex<HashMap<String, watch::Sender<()>>>,
    effects: UnboundedSender<Effect>,
}

impl Hub {
    /// A hub over an empty index, and the effects that are to be carried out elsewhere.
    pub fn new(settings: Settings) -> (Self, UnboundedReceiver<Effect>) {
        let (effects, receiver) = unbounded_channel();
        let hub = Self { index: Mutex::new(Index::new(settings)), streams: Mutex::default(), effects };
        (hub, receiver)
    }

    /// Something happened now.
    pub fn apply(&self, event: Event) {
        let all = matches!(event, Event::Synced);
        let effects = self.index().apply(event, Timestamp::now());
        self.carry_out(effects);
        if all {
            self.streams().values().for_each(wake);
        }
    }

    /// A node's agent reports now.
    pub fn report(&self, node: &str, report: &Report<Patch>) -> Reply {
        let (reply, effects) = self.index().report(node, report, Timestamp::now());
        self.carry_out(effects);
        reply
    }

    /// What a node shall do from now on; `None` while that is not known.
    pub fn desired(&self, node: &str) -> Option<Desired> {
        self.index().desired(node, Timestamp::now())
    }

    /// Wakes whenever [`Self::desired`] of this node may have changed.
    pub fn stream(&self, node: &str) -> watch::Receiver<()> {
        let mut streams = self.streams();
        streams.retain(|name, stream| name == node || stream.receiver_count() > 0);
        streams.entry(node.to_owned()).or_insert_with(|| watch::Sender::new(())).subscribe()
    }

    /// Asks the index something.
    pub fn ask<T>(&self, question: impl FnOnce(&mut Index, Timestamp) -> T) -> T {
        question(&mut self.index(), Timestamp::now())
    }

    fn carry_out(&self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Assign(node) => self.streams().get(&node).into_iter().for_each(wake),
                effect => {
                    // Without a receiver the operator is ending.
                    let _ = self.effects.send(effect);
                }
            }
        }
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn streams(&self) -> MutexGuard<'_, HashMap<String, watch::Sender<()>>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wake(stream: &watch::Sender<()>) {
    // Without a receiver nobody sleeps.
    let _ = stream.send(());
}
