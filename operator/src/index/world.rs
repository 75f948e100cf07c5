//! The nodes and the agents, as far as they are known.

use std::collections::BTreeMap;
use std::time::Duration;

use api::limits;
use jiff::Timestamp;

type Labels = BTreeMap<String, String>;

/// Nodes by name, and which of them an agent speaks for.
#[derive(Clone, Debug, Default)]
pub struct World {
    nodes: BTreeMap<String, Labels>,
    agents: BTreeMap<String, Agent>,
    synced: Option<Timestamp>,
    none: Labels,
}

#[derive(Clone, Debug)]
struct Agent {
    streams: u32,
    /// Whether it ever had a stream.
    came: bool,
    /// When the last stream ended, or when the node appeared.
    since: Timestamp,
    /// Whether its node was there and is gone.
    removed: bool,
}

/// How long a removed node is remembered: longer than any job runs.
const REMEMBERED: Duration = Duration::from_secs(2 * limits::DURATION_MAX.as_secs());

impl Agent {
    fn absent(since: Timestamp) -> Self {
        Self { streams: 0, came: false, since, removed: false }
    }
}

impl World {
    /// A node is there. Its agent has from now on to connect.
    pub fn node_seen(&mut self, name: String, labels: Labels, now: Timestamp) {
        let agent = self.agents.entry(name.clone()).or_insert(Agent::absent(now));
        agent.removed = false;
        self.nodes.insert(name, labels);
    }

    /// A node is gone.
    pub fn node_gone(&mut self, name: &str) {
        self.nodes.remove(name);
        self.agents.get_mut(name).into_iter().for_each(|agent| agent.removed = true);
    }

    /// An agent opened a stream.
    pub fn agent_came(&mut self, node: &str, now: Timestamp) {
        let agent = self.agents.entry(node.to_owned()).or_insert(Agent::absent(now));
        agent.streams += 1;
        agent.came = true;
    }

    /// An agent lost a stream.
    pub fn agent_went(&mut self, node: &str, now: Timestamp) {
        if let Some(agent) = self.agents.get_mut(node) {
            agent.streams = agent.streams.saturating_sub(1);
            agent.since = now;
        }
    }

    /// Forgets nodes that were removed long ago.
    pub fn prune(&mut self, now: Timestamp) {
        self.agents.retain(|_, agent| !agent.removed || agent.streams > 0 || elapsed(agent.since, now) < REMEMBERED);
    }

    /// The sources have told everything that was there.
    pub fn synced(&mut self, now: Timestamp) {
        self.synced.get_or_insert(now);
    }

    /// When that was.
    pub fn synced_at(&self) -> Option<Timestamp> {
        self.synced
    }

    /// Whether the node was there and is gone.
    pub fn was_removed(&self, name: &str) -> bool {
        self.agents.get(name).is_some_and(|agent| agent.removed)
    }

    /// Whether a node's agent has a stream.
    pub fn is_connected(&self, name: &str) -> bool {
        self.agents.get(name).is_some_and(|agent| agent.streams > 0)
    }

    /// How long a node's agent has been without a stream, the time before [`Self::synced_at`] not counted; `None` when it
    /// has one.
    pub fn absent_for(&self, name: &str, now: Timestamp) -> Option<Duration> {
        if self.is_connected(name) {
            return None;
        }
        let synced = self.synced.unwrap_or(now);
        let since = self.agents.get(name).map_or(synced, |agent| agent.since.max(synced));
        Some(elapsed(since, now))
    }

    /// Whether every known node has a connected agent.
    pub fn is_complete(&self) -> bool {
        !self.nodes.is_empty() && self.nodes.keys().all(|name| self.is_connected(name))
    }

    /// Every known node with its labels.
    pub fn labelled(&self) -> impl Iterator<Item = (&str, &Labels)> {
        self.nodes.iter().map(|(name, labels)| (name.as_str(), labels))
    }

    /// Every node whose agent is connected, or was until a moment shorter than `grace` ago. It need not be a known node.
    pub fn with_agent(&self, grace: Duration, now: Timestamp) -> impl Iterator<Item = (&str, &Labels)> {
        self.agents.iter().filter_map(move |(name, agent)| {
            let there = agent.streams > 0 || (agent.came && elapsed(agent.since, now) < grace);
            there.then(|| (name.as_str(), self.nodes.get(name).unwrap_or(&self.none)))
        })
    }

    /// How many agents are connected.
    pub fn connected(&self) -> usize {
        self.agents.values().filter(|agent| agent.streams > 0).count()
    }
}

/// The time from one moment to another; zero when the clock was set back.
pub fn elapsed(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}
