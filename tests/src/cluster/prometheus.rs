//! A real Prometheus that scrapes what a test serves, asked through promtool.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use super::{Answer, Process, Programs, eventually, port};

/// What is scraped, every second.
#[derive(Debug, Clone)]
pub struct Scrape {
    /// The value of the `job` label.
    pub job: String,
    /// `host:port` of a plain HTTP server.
    pub address: String,
    /// The path of the metrics, `/metrics` by custom.
    pub path: String,
}

/// One series of an instant query's answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// All labels, `__name__` among them.
    pub labels: BTreeMap<String, String>,
    /// The value; 0 where the sample is a native histogram.
    pub value: f64,
    /// The native histogram, as Prometheus writes it in JSON.
    pub histogram: Option<serde_json::Value>,
}

/// A running Prometheus; it ends when it is dropped.
#[derive(Debug)]
pub struct Prometheus {
    _server: Process,
    programs: Programs,
    url: String,
    _folder: TempDir,
}

impl Prometheus {
    /// Starts a Prometheus and waits until it answers. With `native_histograms` it asks for protobuf and keeps native
    /// histograms (instead of the classic buckets where a metric has both); without, it reads the text format.
    ///
    /// # Panics
    /// When it does not come up, with its last lines.
    pub fn start(programs: &Programs, scrapes: &[Scrape], native_histograms: bool) -> Prometheus {
        let folder = tempfile::Builder::new().prefix("bpfleet-prometheus-").tempdir().expect("a temporary folder");
        let config = folder.path().join("prometheus.yml");
        std::fs::write(&config, configuration(scrapes)).expect("a writable folder");
        let address = format!("127.0.0.1:{}", port::free());
        let mut command = Command::new(programs.path("prometheus"));
        command
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"));
        if native_histograms {
            command.arg("--enable-feature=native-histograms");
        }
        let mut server = Process::spawn("prometheus", &command, folder.path());
        let url = format!("http://{address}");
        server.wait_until(Duration::from_secs(60), || promtool(programs, &["query", "instant", &url, "1"]).success);
        Prometheus { _server: server, programs: programs.clone(), url, _folder: folder }
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Evaluates an expression now.
    ///
    /// # Errors
    /// What Prometheus says about an expression it refuses.
    pub fn query(&self, expression: &str) -> Result<Vec<Sample>, String> {
        let answer = promtool(&self.programs, &["query", "--format=json", "instant", &self.url, expression]);
        if !answer.success {
            return Err(answer.stderr);
        }
        let samples: Vec<serde_json::Value> = match serde_json::from_str(&answer.stdout) {
            Ok(serde_json::Value::Array(samples)) if samples.iter().all(serde_json::Value::is_object) => samples,
            // A scalar is a bare pair of time and value.
            Ok(pair) => vec![serde_json::json!({ "metric": {}, "value": pair })],
            Err(error) => return Err(format!("{error}: {}", answer.stdout)),
        };
        Ok(samples.iter().map(Sample::from_json).collect())
    }

    /// Evaluates `expression` until `accept` is satisfied with the answer, and returns it.
    ///
    /// # Panics
    /// When that does not happen within `limit`, with the last answer.
    #[track_caller]
    pub fn wait_for(&self, expression: &str, limit: Duration, accept: impl Fn(&[Sample]) -> bool) -> Vec<Sample> {
        eventually(expression, limit, || match self.query(expression) {
            Ok(samples) if accept(&samples) => Ok(samples),
            other => Err(other),
        })
    }
}

impl Sample {
    fn from_json(sample: &serde_json::Value) -> Sample {
        let labels = sample["metric"].as_object().into_iter().flatten();
        Sample {
            labels: labels.map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned())).collect(),
            value: sample["value"][1].as_str().and_then(|text| text.parse().ok()).unwrap_or_default(),
            histogram: sample.get("histogram").map(|pair| pair[1].clone()),
        }
    }

    /// The value of a label, empty when the series does not have it.
    pub fn label(&self, name: &str) -> &str {
        self.labels.get(name).map(String::as_str).unwrap_or_default()
    }
}

/// `promtool check metrics` over a text exposition: what it finds wrong or unusual.
pub fn check_metrics(programs: &Programs, exposition: &str, folder: &Path) -> Answer {
    let file = folder.join("metrics.txt");
    std::fs::write(&file, exposition).expect("a writable folder");
    let script = "exec \"$0\" check metrics < \"$1\"";
    Answer::of(Command::new("sh").args(["-c", script]).arg(programs.path("promtool")).arg(file))
}

fn promtool(programs: &Programs, args: &[&str]) -> Answer {
    Answer::of(Command::new(programs.path("promtool")).args(args))
}

fn configuration(scrapes: &[Scrape]) -> String {
    let jobs: Vec<serde_json::Value> = scrapes
        .iter()
        .map(|scrape| {
            serde_json::json!({
                "job_name": scrape.job,
                "metrics_path": scrape.path,
                "static_configs": [{ "targets": [scrape.address] }],
            })
        })
        .collect();
    // JSON is YAML.
    serde_json::json!({ "global": { "scrape_interval": "1s", "scrape_timeout": "1s" }, "scrape_configs": jobs })
        .to_string()
}
