//! How patient the index is, and how much it keeps.

use std::time::Duration;

/// Settings of the index. The defaults suit a cluster; a demo or a test is less patient.
#[derive(Clone, Debug)]
pub struct Settings {
    /// An agent without a stream for this long is lost, or was never there.
    pub lost_after: Duration,
    /// Nodes that have not reported their end this long after it are given up.
    pub finish_grace: Duration,
    /// After its own start the operator waits this long for agents before it decides that no node matches.
    pub settle: Duration,
    /// The least time between two status writes of one job whose phase stays.
    pub status_interval: Duration,
    /// How often sessions report.
    pub report_interval: Duration,
    /// A finished job's rows stay in memory, and at /metrics, for this long: two scrapes of the usual interval at least.
    pub retention: Duration,
    /// Rows of one merged map that are kept; the smallest beyond are dropped and counted.
    pub max_rows: usize,
    /// The least time between two attempts to store one job's document.
    pub store_interval: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            lost_after: Duration::from_secs(15),
            finish_grace: Duration::from_secs(10),
            settle: Duration::from_secs(5),
            status_interval: Duration::from_secs(5),
            report_interval: Duration::from_secs(2),
            retention: Duration::from_secs(300),
            max_rows: 10_000,
            store_interval: Duration::from_secs(5),
        }
    }
}
