//! One HTTP/2 connection to the operator over TLS: the stream of assignments and the posts of reports.
//!
//! Owns dialling, the token and what a broken peer looks like. When it to dial again is decided by [`super`].

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use api::limits::HEARTBEAT;
use api::wire::{Reply, Report, StreamLine, assignments_path, reports_path};
use bytes::{Bytes, BytesMut};
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use report::patch::Patch;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// How long dialling may take, and a report be on its way.
const PATIENCE: Duration = Duration::from_secs(20);
/// Without any line for this long the stream is dead.
const SILENCE: Duration = Duration::from_secs(3 * HEARTBEAT.as_secs());
/// Most bytes of one line of the stream: a node's assignments with their scripts.
const LINE_BYTES: usize = 64 * 1024 * 1024;

/// Where the operator is and how to prove ourselves to it.
#[derive(Clone, Debug)]
pub struct Operator {
    /// `https://HOST:PORT`.
    pub url: String,
    /// This node's name.
    pub node: String,
    /// A file with the bearer token; read again for each request, since projected tokens rotate.
    pub token_file: PathBuf,
    /// A file with the certificates, in PEM, that the operator's certificate must be signed by; read at each dial.
    pub ca_file: PathBuf,
}

/// Why there is no connection, or no answer.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    /// The URL is not `https://HOST:PORT`.
    #[error("{0} is not https://HOST:PORT")]
    Url(String),
    /// The token or the certificates cannot be read.
    #[error("{}: {why}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The operator cannot be reached.
    #[error("cannot reach the operator: {0}")]
    Dial(#[source] std::io::Error),
    /// It took too long.
    #[error("the operator does not answer")]
    Timeout,
    /// HTTP broke.
    #[error("the connection broke: {0}")]
    Http(#[from] hyper::Error),
    /// The operator answered with an error.
    #[error("the operator answered {status}: {text}")]
    Refused {
        /// With which status.
        status: StatusCode,
        /// In which words.
        text: String,
    },
    /// The operator's answer makes no sense.
    #[error("cannot understand the operator: {0}")]
    Garbled(String),
}

/// A connection. Clones share it.
#[derive(Clone)]
pub struct Connection {
    operator: Arc<Operator>,
    authority: String,
    send: SendRequest<Full<Bytes>>,
}

/// The lines of the assignment stream.
pub struct Stream {
    body: Incoming,
    buffer: BytesMut,
}

impl Connection {
    /// Dials.
    pub async fn dial(operator: Arc<Operator>) -> Result<Self, ConnectionError> {
        timeout(PATIENCE, Self::dial_patiently(operator)).await.map_err(|_| ConnectionError::Timeout)?
    }

    async fn dial_patiently(operator: Arc<Operator>) -> Result<Self, ConnectionError> {
        let url = || ConnectionError::Url(operator.url.clone());
        let uri: Uri = operator.url.parse().map_err(|_| url())?;
        if uri.scheme_str() != Some("https") {
            return Err(url());
        }
        let host = uri.host().ok_or_else(url)?.trim_matches(['[', ']']).to_owned();
        let port = uri.port_u16().unwrap_or(443);
        let name = ServerName::try_from(host.clone()).map_err(|_| url())?;
        let connector = TlsConnector::from(Arc::new(tls(&operator.ca_file)?));
        let tcp = TcpStream::connect((host.as_str(), port)).await.map_err(ConnectionError::Dial)?;
        tcp.set_nodelay(true).map_err(ConnectionError::Dial)?;
        let stream = connector.connect(name, tcp).await.map_err(ConnectionError::Dial)?;
        let (send, connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(HEARTBEAT)
            .keep_alive_timeout(HEARTBEAT)
            .keep_alive_while_idle(true)
            .handshake(TokioIo::new(stream))
            .await?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection to the operator ended");
            }
        });
        let authority = uri.authority().map(ToString::to_string).unwrap_or_default();
        Ok(Self { operator, authority, send })
    }

    /// Opens the assignment stream.
    pub async fn assignments(&mut self) -> Result<Stream, ConnectionError> {
        let path = assignments_path(&self.operator.node);
        let response = self.request(Method::GET, &path, Bytes::new()).await?;
        Ok(Stream { body: response.into_body(), buffer: BytesMut::new() })
    }

    /// Posts a report.
    pub async fn post(&mut self, report: &Report<Patch>) -> Result<Reply, ConnectionError> {
        let body = serde_json::to_vec(report).map_err(|error| ConnectionError::Garbled(error.to_string()))?;
        let path = reports_path(&self.operator.node);
        let response = self.request(Method::POST, &path, body.into()).await?;
        let answer = text(response).await?;
        serde_json::from_slice(&answer).map_err(|error| ConnectionError::Garbled(error.to_string()))
    }

    async fn request(
        &mut self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Response<Incoming>, ConnectionError> {
        let token = tokio::fs::read_to_string(&self.operator.token_file)
            .await
            .map_err(|error| unreadable(&self.operator.token_file, error))?;
        let request = Request::builder()
            .method(method)
            .uri(format!("https://{}{path}", self.authority))
            .header(HOST, &self.authority)
            .header(AUTHORIZATION, format!("Bearer {}", token.trim()))
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .map_err(|error| ConnectionError::Garbled(error.to_string()))?;
        let answer = async {
            self.send.ready().await?;
            self.send.send_request(request).await
        };
        let response = timeout(PATIENCE, answer).await.map_err(|_| ConnectionError::Timeout)??;
        match response.status() {
            StatusCode::OK => Ok(response),
            status => {
                let text = String::from_utf8_lossy(&text(response).await?).trim().to_owned();
                Err(ConnectionError::Refused { status, text })
            }
        }
    }
}

impl Stream {
    /// The next line; `None` when the operator ended the stream.
    pub async fn next(&mut self) -> Result<Option<StreamLine>, ConnectionError> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line = self.buffer.split_to(end + 1);
                return serde_json::from_slice(&line)
                    .map(Some)
                    .map_err(|error| ConnectionError::Garbled(error.to_string()));
            }
            if self.buffer.len() > LINE_BYTES {
                return Err(ConnectionError::Garbled("a line without end".to_owned()));
            }
            let frame = timeout(SILENCE, self.body.frame()).await.map_err(|_| ConnectionError::Timeout)?;
            match frame.transpose()? {
                None => return Ok(None),
                Some(frame) => frame.data_ref().into_iter().for_each(|data| self.buffer.extend_from_slice(data)),
            }
        }
    }
}

/// An answer's body, of which only a little is expected.
async fn text(response: Response<Incoming>) -> Result<Bytes, ConnectionError> {
    const ANSWER_BYTES: usize = 64 * 1024;
    let read = Limited::new(response.into_body(), ANSWER_BYTES).collect();
    let body = timeout(PATIENCE, read).await.map_err(|_| ConnectionError::Timeout)?;
    body.map(|body| body.to_bytes()).map_err(|error| ConnectionError::Garbled(error.to_string()))
}

fn unreadable(path: &Path, why: impl ToString) -> ConnectionError {
    ConnectionError::File { path: path.to_owned(), why: why.to_string() }
}

fn tls(ca_file: &Path) -> Result<rustls::ClientConfig, ConnectionError> {
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(ca_file).map_err(|error| unreadable(ca_file, error))? {
        let certificate = certificate.map_err(|error| unreadable(ca_file, error))?;
        roots.add(certificate).map_err(|error| unreadable(ca_file, error))?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unreadable(ca_file, error))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}
