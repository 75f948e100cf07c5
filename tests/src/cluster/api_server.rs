//! A Kubernetes cluster without nodes: etcd and kube-apiserver, optionally kube-controller-manager, with RBAC, client
//! certificates and service-account tokens. Node objects are made by the test; nothing schedules or runs pods.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use super::{Answer, Process, Programs, certificates::Certificates, controllers, port};

/// A running control plane. Everything it is made of ends, and its folder vanishes, when it is dropped.
#[derive(Debug)]
pub struct Cluster {
    // Fields are dropped in this order: clients before servers, the folder last.
    controllers: Option<Process>,
    api_server: Option<Process>,
    _etcd: Process,
    programs: Programs,
    certificates: Certificates,
    port: u16,
    etcd_port: u16,
    folder: TempDir,
}

const START: Duration = Duration::from_secs(90);

impl Cluster {
    /// Starts etcd and kube-apiserver and waits until the API is ready (about 6 s).
    ///
    /// # Panics
    /// When one of them does not come up, with its last lines.
    pub fn start(programs: &Programs) -> Cluster {
        let folder = tempfile::Builder::new().prefix("bpfleet-cluster-").tempdir().expect("a temporary folder");
        let certificates = Certificates::write(folder.path());
        let (port, etcd_port) = (port::free(), port::free());
        let etcd = Process::spawn("etcd", &etcd(programs, folder.path(), etcd_port), folder.path());
        let mut cluster = Cluster {
            controllers: None,
            api_server: None,
            _etcd: etcd,
            programs: programs.clone(),
            certificates,
            port,
            etcd_port,
            folder,
        };
        cluster.write_kubeconfig("admin", &cluster.admin_user());
        cluster.start_api_server();
        cluster
    }

    /// The running cluster of a test, or `None` where the programs are missing and skipping is allowed.
    pub fn start_or_skip() -> Option<Cluster> {
        super::programs::or_skip().map(|programs| Cluster::start(&programs))
    }

    /// Adds kube-controller-manager: garbage collection of owned objects, deletion of namespaces, default service
    /// accounts.
    pub fn start_controllers(&mut self) {
        let command = controllers::command(&self.programs, &self.kubeconfig(), &self.certificates);
        self.controllers = Some(Process::spawn("kube-controller-manager", &command, self.folder.path()));
    }

    /// Starts kube-apiserver again after [`Cluster::stop_api_server`], at the same address with the same data.
    pub fn start_api_server(&mut self) {
        let mut server = Process::spawn("kube-apiserver", &self.api_server_command(), self.folder.path());
        server.wait_until(START, || self.kubectl(&["get", "--raw", "/readyz"]).success);
        self.api_server = Some(server);
    }

    /// Kills kube-apiserver and keeps its data.
    pub fn stop_api_server(&mut self) {
        self.api_server = None;
    }

    /// `https://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// A folder for whatever the test needs; it lives as long as the cluster.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The programs the cluster was started from.
    pub fn programs(&self) -> &Programs {
        &self.programs
    }

    /// The administrator's kubeconfig.
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("admin.kubeconfig")
    }

    /// Runs kubectl as administrator.
    pub fn kubectl(&self, args: &[&str]) -> Answer {
        self.kubectl_as(&self.kubeconfig(), args)
    }

    /// Runs kubectl as whoever `kubeconfig` says.
    pub fn kubectl_as(&self, kubeconfig: &Path, args: &[&str]) -> Answer {
        Answer::of(
            Command::new(self.programs.path("kubectl"))
                .arg("--request-timeout=20s")
                .args(args)
                .env("KUBECONFIG", kubeconfig)
                .env("HOME", self.folder.path()),
        )
    }

    /// `kubectl apply -f` of a text.
    ///
    /// # Panics
    /// When the API server refuses it.
    #[track_caller]
    pub fn apply(&self, yaml: &str) {
        let file = tempfile::Builder::new().suffix(".yaml").tempfile_in(self.folder.path()).expect("a file");
        std::fs::write(file.path(), yaml).expect("a writable file");
        self.kubectl(&["apply", "-f", &file.path().to_string_lossy()]).expect();
    }

    /// One object as JSON; `None` when it does not exist.
    ///
    /// # Panics
    /// When kubectl fails for any other reason.
    #[track_caller]
    pub fn get(&self, namespace: &str, kind: &str, name: &str) -> Option<serde_json::Value> {
        let text = self.kubectl(&["-n", namespace, "get", kind, name, "--ignore-not-found", "-o", "json"]).expect();
        (!text.trim().is_empty()).then(|| serde_json::from_str(&text).expect("JSON from kubectl"))
    }

    /// Creates a namespace.
    #[track_caller]
    pub fn create_namespace(&self, name: &str) {
        self.kubectl(&["create", "namespace", name]).expect();
    }

    /// Creates a Ready Node object with these labels.
    #[track_caller]
    pub fn create_node(&self, name: &str, labels: &[(&str, &str)]) {
        let labels: serde_json::Map<_, _> =
            labels.iter().map(|(key, value)| (key.to_string(), (*value).into())).collect();
        let node =
            serde_json::json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": name, "labels": labels } });
        self.apply(&node.to_string());
    }

    /// Creates a pod that is bound to `node` and runs as `service_account`; nothing will ever start it.
    #[track_caller]
    pub fn create_pod(&self, namespace: &str, name: &str, service_account: &str, node: &str) {
        self.apply(&format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{ name: {name}, namespace: {namespace} }}\n\
             spec:\n  serviceAccountName: {service_account}\n  nodeName: {node}\n  \
             containers: [{{ name: main, image: none }}]\n"
        ));
    }

    /// A token for a service account, as the projected volume of `pod` would hold it: for `audience` only, and valid
    /// while the pod exists. Without a pod and with an empty audience: one for the API server itself.
    #[track_caller]
    pub fn token(&self, namespace: &str, service_account: &str, pod: Option<&str>, audience: &str) -> String {
        let mut spec = serde_json::json!({ "expirationSeconds": 3600 });
        if !audience.is_empty() {
            spec["audiences"] = [audience].into();
        }
        if let Some(pod) = pod {
            spec["boundObjectRef"] = serde_json::json!({ "apiVersion": "v1", "kind": "Pod", "name": pod });
        }
        let request =
            serde_json::json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec });
        let file = tempfile::NamedTempFile::new_in(self.folder.path()).expect("a file");
        std::fs::write(file.path(), request.to_string()).expect("a writable file");
        let path = format!("/api/v1/namespaces/{namespace}/serviceaccounts/{service_account}/token");
        let answer = self.kubectl(&["create", "--raw", &path, "-f", &file.path().to_string_lossy()]).expect();
        let answer: serde_json::Value = serde_json::from_str(&answer).expect("JSON from kubectl");
        answer["status"]["token"].as_str().expect("a token").to_owned()
    }

    /// A kubeconfig with which a program has exactly the permissions of a service account.
    #[track_caller]
    pub fn service_account_kubeconfig(&self, namespace: &str, service_account: &str) -> PathBuf {
        let token = self.token(namespace, service_account, None, "");
        self.write_kubeconfig(&format!("{namespace}-{service_account}"), &format!("token: {token}"))
    }

    fn admin_user(&self) -> String {
        let path = |name| self.certificates.path(name).display().to_string();
        format!("client-certificate: {}\n    client-key: {}", path("admin.crt"), path("admin.key"))
    }

    fn write_kubeconfig(&self, name: &str, user: &str) -> PathBuf {
        let path = self.folder.path().join(format!("{name}.kubeconfig"));
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: test\n\
             clusters:\n- name: test\n  cluster:\n    server: {}\n    certificate-authority: {}\n\
             users:\n- name: test\n  user:\n    {user}\n\
             contexts:\n- name: test\n  context: {{ cluster: test, user: test }}\n",
            self.url(),
            self.certificates.path("ca.crt").display(),
        );
        std::fs::write(&path, text).expect("a writable folder");
        path
    }

    fn api_server_command(&self) -> Command {
        let mut command = Command::new(self.programs.path("kube-apiserver"));
        let mut path = |flag: &str, name: &str| {
            command.arg(format!("--{flag}={}", self.certificates.path(name).display()));
        };
        path("tls-cert-file", "server.crt");
        path("tls-private-key-file", "server.key");
        path("client-ca-file", "ca.crt");
        path("service-account-key-file", "tokens.pub");
        path("service-account-signing-key-file", "tokens.key");
        path("cert-dir", "");
        command
            .arg(format!("--etcd-servers={}", etcd_url(self.etcd_port)))
            .arg(format!("--secure-port={}", self.port))
            .args(["--bind-address=127.0.0.1", "--advertise-address=127.0.0.1"])
            .args(["--endpoint-reconciler-type=none", "--service-cluster-ip-range=10.0.0.0/24"])
            .args(["--service-account-issuer=https://kubernetes.default.svc", "--authorization-mode=RBAC"])
            // This plugin wants a token Secret of every service account before a pod may use it.
            .args(["--disable-admission-plugins=ServiceAccount"]);
        command
    }
}

fn etcd(programs: &Programs, folder: &Path, port: u16) -> Command {
    let (client, peer) = (etcd_url(port), etcd_url(port::free()));
    let mut command = Command::new(programs.path("etcd"));
    command
        .arg(format!("--data-dir={}", folder.join("etcd").display()))
        .args(["--listen-client-urls", &client, "--advertise-client-urls", &client])
        .args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer])
        .args(["--initial-cluster", &format!("default={peer}")]);
    command
}

fn etcd_url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}
