//! The agent's part in a fleet: dials the operator, runs what it is assigned, reports what the sessions count.
//!
//! Opens no port. Sessions do not depend on the connection: with the operator gone they trace on until their time box is
//! over, and their results are kept until the operator has them and the job is gone from what it desires. [`roster`] and
//! [`outbox`] decide, [`trace`] runs a session, [`connection`] talks; this file ties them together in one event loop.

mod backoff;
mod connection;
mod lines;
pub mod outbox;
pub mod roster;
mod trace;

use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use api::reason::FailureReason;
use api::wire::{Assignment, JobUid, Reply, SessionId, SessionState, StreamLine};
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout_at};

use backoff::Backoff;
use connection::{Connection, ConnectionError, Operator};
use outbox::{Observation, Outbox};
use roster::Order;
use trace::{Ending, Sighting};

/// How the agent takes part in a fleet.
#[derive(Clone, Debug)]
pub struct FleetOptions {
    /// The operator: `https://HOST:PORT`.
    pub operator: String,
    /// This node's name.
    pub node: String,
    /// A file with the bearer token.
    pub token_file: PathBuf,
    /// A file with the certificates, in PEM, that the operator's certificate must be signed by.
    pub ca_file: PathBuf,
    /// Most sessions at a time; further ones are refused.
    pub max_sessions: usize,
}

/// Sessions at a time when nothing else is said.
pub const MAX_SESSIONS: usize = 16;

/// How long the last reports may take when the agent ends.
const FAREWELL: Duration = Duration::from_secs(3);

/// Why the agent cannot take part at all. A missing operator is no reason: it is waited for.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// The options make no sense.
    #[error(transparent)]
    Options(#[from] ConnectionError),
    /// No randomness for session ids.
    #[error("/dev/urandom: {0}")]
    Random(std::io::Error),
}

/// Takes part until `shutdown` is ready; then ends the sessions, tells the operator what they had counted, and returns.
pub async fn run(options: FleetOptions, shutdown: impl Future<Output = ()>) -> Result<(), FleetError> {
    if options.operator.strip_prefix("https://").is_none_or(str::is_empty) {
        return Err(ConnectionError::Url(options.operator).into());
    }
    for crate::node_report::Kind { name, answer } in crate::node_report::kinds() {
        if let Err(why) = answer {
            tracing::info!(probe = name, why, "this node cannot serve these probes");
        }
    }
    let seed = u64::from_ne_bytes(random().map_err(FleetError::Random)?);
    let mut agent = Agent::new(options, Backoff::new(seed));
    tokio::pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            happening = agent.happening() => agent.take(happening),
        }
    }
    agent.say_farewell().await;
    Ok(())
}

fn random<const N: usize>() -> std::io::Result<[u8; N]> {
    let mut bytes = [0; N];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn new_session() -> std::io::Result<SessionId> {
    Ok(SessionId(random::<16>()?.iter().map(|byte| format!("{byte:02x}")).collect()))
}

/// One job here: its session and the way of its reports.
struct Held {
    outbox: Outbox,
    ending: Ending,
    over: bool,
    /// Whether a report is on its way now.
    posting: bool,
    /// Not before then, after a report got no answer or was not understood.
    post_after: Instant,
    backoff: Backoff,
}

struct Agent {
    options: FleetOptions,
    operator: Arc<Operator>,
    jobs: BTreeMap<JobUid, Held>,
    tell: mpsc::UnboundedSender<Sighting>,
    sightings: mpsc::UnboundedReceiver<Sighting>,
    link: Link,
    /// Counts connections: an answer from an earlier one may be an earlier operator's and says nothing.
    dialled: u64,
    backoff: Backoff,
    posts: FuturesUnordered<BoxFuture<'static, Posted>>,
}

/// What there is of a connection.
enum Link {
    /// None; dial at this time.
    Down(Instant),
    /// Being dialled.
    Dialling(BoxFuture<'static, Result<(Connection, Lines), ConnectionError>>),
    /// There, with the lines of its stream.
    Up(Connection, Lines),
}

/// Lines of an assignment stream, read by a task of their own so that none is cut by a change of mind.
struct Lines {
    received: mpsc::Receiver<Result<StreamLine, ConnectionError>>,
    reader: JoinHandle<()>,
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// A report that was sent, and what came of it.
struct Posted {
    job: JobUid,
    session: SessionId,
    seq: u64,
    dialled: u64,
    answer: Result<Reply, ConnectionError>,
}

/// What the loop waits for.
enum Happening {
    Sighted(Sighting),
    Dial,
    Connected(Result<(Connection, Lines), ConnectionError>),
    Line(Option<Result<StreamLine, ConnectionError>>),
    Posted(Posted),
    PostAgain,
}

impl Agent {
    fn new(options: FleetOptions, backoff: Backoff) -> Self {
        let (tell, sightings) = mpsc::unbounded_channel();
        let operator = Arc::new(Operator {
            url: options.operator.clone(),
            node: options.node.clone(),
            token_file: options.token_file.clone(),
            ca_file: options.ca_file.clone(),
        });
        let link = Link::Down(Instant::now());
        let posts = FuturesUnordered::new();
        Self { options, operator, jobs: BTreeMap::new(), tell, sightings, link, dialled: 0, backoff, posts }
    }

    /// Waits for the next thing. May be dropped and called again without losing any.
    async fn happening(&mut self) -> Happening {
        let waiting = self.jobs.values().filter(|held| !held.posting).map(|held| held.post_after);
        let again = waiting.filter(|time| *time > Instant::now()).min();
        let link = async {
            match &mut self.link {
                Link::Down(until) => {
                    sleep_until(*until).await;
                    Happening::Dial
                }
                Link::Dialling(dialled) => Happening::Connected(dialled.await),
                Link::Up(_, lines) => Happening::Line(lines.received.recv().await),
            }
        };
        tokio::select! {
            Some(sighting) = self.sightings.recv() => Happening::Sighted(sighting),
            Some(posted) = self.posts.next() => Happening::Posted(posted),
            happening = link => happening,
            () = sleep_until(again.unwrap_or_else(Instant::now)), if again.is_some() => Happening::PostAgain,
        }
    }

    fn take(&mut self, happening: Happening) {
        match happening {
            Happening::Sighted(sighting) => self.sighted(sighting),
            Happening::Dial => self.link = Link::Dialling(Box::pin(connect(self.operator.clone()))),
            Happening::Connected(Ok((connection, lines))) => {
                tracing::info!(operator = self.operator.url, "connected");
                self.link = Link::Up(connection, lines);
                self.dialled += 1;
                for held in self.jobs.values_mut() {
                    held.backoff.reset();
                    held.post_after = Instant::now();
                }
            }
            Happening::Connected(Err(error)) => self.disconnected(Some(&error)),
            Happening::Line(Some(Ok(StreamLine::Desired(desired)))) => {
                self.backoff.reset();
                let here = self.jobs.iter().map(|(job, held)| (job.clone(), held.outbox.session().clone())).collect();
                roster::orders(desired, &here).into_iter().for_each(|order| self.obey(order));
            }
            Happening::Line(Some(Ok(StreamLine::Heartbeat {}))) => {}
            Happening::Line(Some(Err(error))) => self.disconnected(Some(&error)),
            Happening::Line(None) => self.disconnected(None),
            Happening::Posted(posted) => self.posted(posted),
            Happening::PostAgain => {}
        }
        self.post();
    }

    fn disconnected(&mut self, why: Option<&ConnectionError>) {
        let wait = self.backoff.wait();
        match why {
            Some(error) => tracing::warn!(%error, ?wait, "no connection to the operator"),
            None => tracing::info!(?wait, "the operator ended the stream"),
        }
        self.link = Link::Down(Instant::now() + wait);
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Begin(assignment) => self.begin(*assignment),
            Order::End(job) => self.jobs.get(&job).into_iter().for_each(|held| held.ending.ask()),
            Order::Forget(job) => {
                if let Some(held) = self.jobs.remove(&job) {
                    tracing::info!(%job, "no longer wanted");
                    held.ending.ask();
                }
            }
            Order::Held(job, seq) => self.jobs.get_mut(&job).into_iter().for_each(|held| held.outbox.held(seq)),
        }
    }

    fn begin(&mut self, assignment: Assignment) {
        let job = assignment.job.clone();
        let session = match new_session() {
            Ok(session) => session,
            Err(error) => return tracing::error!(%error, %job, "no session id to be had"),
        };
        let mut outbox = Outbox::new(session.clone(), job.clone());
        let running = self.jobs.values().filter(|held| !held.over).count();
        let started = if running >= self.options.max_sessions {
            let message = format!("the agent runs {running} sessions, as many as it may");
            Err(SessionState::Refused { reason: FailureReason::TooManySessions, message })
        } else {
            tracing::info!(%job, namespace = assignment.namespace, name = assignment.name, %session, "tracing");
            trace::spawn(assignment, session, self.tell.clone()).map_err(|error| SessionState::Refused {
                reason: FailureReason::SessionFailed,
                message: format!("no thread for the session: {error}"),
            })
        };
        let over = started.is_err();
        let ending = started.unwrap_or_else(|state| {
            outbox.observe(trace::unbegun(state), []);
            Ending::default()
        });
        let backoff = self.backoff.clone();
        let post_after = Instant::now();
        self.jobs.insert(job, Held { outbox, ending, over, posting: false, post_after, backoff });
    }

    fn sighted(&mut self, Sighting { job, session, observation, lines }: Sighting) {
        let held = self.jobs.get_mut(&job).filter(|held| *held.outbox.session() == session);
        let Some(held) = held else { return };
        if observation.state.is_final() {
            held.over = true;
            tracing::info!(%job, state = ?observation.state, "ended");
        }
        held.outbox.observe(observation, lines);
    }

    /// Sends what is to be sent.
    fn post(&mut self) {
        let Link::Up(connection, _) = &self.link else { return };
        for (job, held) in &mut self.jobs {
            if held.posting || held.post_after > Instant::now() {
                continue;
            }
            let Some(report) = held.outbox.due().cloned() else { continue };
            held.posting = true;
            let (job, session, mut connection) = (job.clone(), report.session.clone(), connection.clone());
            let dialled = self.dialled;
            self.posts.push(Box::pin(async move {
                let answer = connection.post(&report).await;
                Posted { job, session, seq: report.seq, dialled, answer }
            }));
        }
    }

    fn posted(&mut self, Posted { job, session, seq, dialled, answer }: Posted) {
        let held = self.jobs.get_mut(&job).filter(|held| *held.outbox.session() == session);
        let Some(held) = held else { return };
        held.posting = false;
        match answer {
            Ok(_) if dialled != self.dialled => {}
            Ok(reply) => {
                held.outbox.replied(seq, reply);
                match reply {
                    Reply::Ack { .. } => held.backoff.reset(),
                    Reply::Resync {} | Reply::Unknown {} => held.post_after = Instant::now() + held.backoff.wait(),
                }
            }
            Err(error) => {
                tracing::warn!(%job, %error, "a report got no answer");
                held.post_after = Instant::now() + held.backoff.wait();
            }
        }
    }

    /// Ends every session and tells the operator what each had counted, as far as that goes quickly.
    async fn say_farewell(mut self) {
        let until = Instant::now() + FAREWELL;
        self.jobs.values().for_each(|held| held.ending.ask());
        while !self.jobs.values().all(|held| held.over && held.outbox.is_settled()) {
            let Ok(happening) = timeout_at(until, self.happening()).await else { break };
            match happening {
                // The time box is not over: that it ended here is no success, only all there is to tell.
                Happening::Sighted(mut sighting) => {
                    let over = sighting.observation.state.is_final();
                    if sighting.observation.state == SessionState::Succeeded {
                        sighting.observation = Observation { state: SessionState::Running, ..sighting.observation };
                    }
                    if let Some(held) = self.jobs.get_mut(&sighting.job) {
                        held.over |= over;
                    }
                    self.take(Happening::Sighted(sighting));
                }
                happening => self.take(happening),
            }
        }
    }
}

/// Dials and opens the assignment stream.
async fn connect(operator: Arc<Operator>) -> Result<(Connection, Lines), ConnectionError> {
    let mut connection = Connection::dial(operator).await?;
    let mut stream = connection.assignments().await?;
    let (send, received) = mpsc::channel(16);
    let reader = tokio::spawn(async move {
        while let Some(line) = stream.next().await.transpose() {
            let broken = line.is_err();
            if send.send(line).await.is_err() || broken {
                break;
            }
        }
    });
    Ok((connection, Lines { received, reader }))
}
