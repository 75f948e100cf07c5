//! Accepts connections and serves a router on each, with TLS or without.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use api::limits::HEARTBEAT;
use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

/// How long a client may take for its TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long to wait when no connection can be accepted, for lack of descriptors as a rule.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until dropped; connections end with it.
pub async fn serve(listener: TcpListener, tls: Option<ServerConfig>, router: Router) {
    let acceptor = tls.map(|config| TlsAcceptor::from(Arc::new(config)));
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => drop(connections.spawn(connection(stream, acceptor.clone(), router.clone()))),
                Err(error) => {
                    tracing::warn!(%error, "no connection could be accepted");
                    sleep(PAUSE).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, acceptor: Option<TlsAcceptor>, router: Router) {
    let peer = stream.peer_addr();
    let served = async {
        stream.set_nodelay(true)?;
        match acceptor {
            None => talk(stream, router).await,
            Some(acceptor) => {
                let handshake = timeout(HANDSHAKE, acceptor.accept(stream)).await;
                talk(handshake.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??, router).await
            }
        }
    };
    if let Err(error) = served.await {
        tracing::debug!(?peer, %error, "a connection ended");
    }
}

async fn talk(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, router: Router) -> io::Result<()> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new());
    // An agent that vanished without a word is noticed by its silence.
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(HEARTBEAT).keep_alive_timeout(HEARTBEAT);
    let service = TowerToHyperService::new(router);
    builder.serve_connection(TokioIo::new(stream), service).await.map_err(io::Error::other)
}
