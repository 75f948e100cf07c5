//! Tokens that the API server is asked about: projected ServiceAccount tokens of the agents.
//!
//! A token counts when it was made for our audience and for the agents' ServiceAccount. Its node is the one it claims
//! (`authentication.kubernetes.io/node-name`, Kubernetes 1.30 and later), else the node of the pod it is bound to.
//! Answers are cached by the token's digest.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use api::limits::TOKEN_AUDIENCE;
use k8s_openapi::api::authentication::v1::{TokenReview, TokenReviewSpec, UserInfo};
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::PostParams;
use sha2::{Digest, Sha256};

use super::AuthError;

/// How long a good answer holds: a removed pod's token counts no longer than this.
const GOOD_FOR: Duration = Duration::from_secs(120);
/// How long a bad answer holds.
const BAD_FOR: Duration = Duration::from_secs(10);
/// Most answers that are kept.
const MOST: usize = 20_000;

const NODE_CLAIM: &str = "authentication.kubernetes.io/node-name";
const POD_CLAIM: &str = "authentication.kubernetes.io/pod-name";

/// Asks the API server about tokens.
#[derive(Debug)]
pub struct TokenReviews {
    client: DebugClient,
    namespace: String,
    service_account: String,
    answers: Mutex<HashMap<[u8; 32], Answer>>,
}

struct DebugClient(kube::Client);

impl std::fmt::Debug for DebugClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Client")
    }
}

#[derive(Clone, Debug)]
struct Answer {
    node: Result<String, AuthError>,
    until: Instant,
}

impl TokenReviews {
    /// Tokens of the ServiceAccount `service_account` in `namespace`, where the agents' pods are too.
    pub fn new(client: kube::Client, namespace: String, service_account: String) -> Self {
        Self { client: DebugClient(client), namespace, service_account, answers: Mutex::default() }
    }

    pub(super) async fn node_of(&self, token: &str) -> Result<String, AuthError> {
        let digest: [u8; 32] = Sha256::digest(token).into();
        let known = self.answers().get(&digest).filter(|answer| answer.until > Instant::now()).cloned();
        if let Some(answer) = known {
            return answer.node;
        }
        let node = self.ask(token).await;
        let holds = match node {
            Ok(_) => GOOD_FOR,
            Err(AuthError::Unavailable(_)) => return node,
            Err(_) => BAD_FOR,
        };
        let mut answers = self.answers();
        if answers.len() >= MOST {
            answers.retain(|_, answer| answer.until > Instant::now());
        }
        if answers.len() < MOST {
            answers.insert(digest, Answer { node: node.clone(), until: Instant::now() + holds });
        }
        node
    }

    fn answers(&self) -> MutexGuard<'_, HashMap<[u8; 32], Answer>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask(&self, token: &str) -> Result<String, AuthError> {
        let spec = TokenReviewSpec { token: Some(token.to_owned()), audiences: Some(vec![TOKEN_AUDIENCE.to_owned()]) };
        let review = TokenReview { spec, ..TokenReview::default() };
        let answer = Api::<TokenReview>::all(self.client.0.clone()).create(&PostParams::default(), &review).await;
        let status = answer.map_err(unavailable)?.status.unwrap_or_default();
        if status.authenticated != Some(true) {
            return Err(AuthError::Invalid(status.error.unwrap_or_else(|| "not authenticated".to_owned())));
        }
        if !status.audiences.is_some_and(|audiences| audiences.iter().any(|audience| audience == TOKEN_AUDIENCE)) {
            return Err(AuthError::Invalid(format!("not made for the audience {TOKEN_AUDIENCE}")));
        }
        self.node_of_user(&status.user.unwrap_or_default()).await
    }

    async fn node_of_user(&self, user: &UserInfo) -> Result<String, AuthError> {
        let expected = format!("system:serviceaccount:{}:{}", self.namespace, self.service_account);
        if user.username.as_deref() != Some(&expected) {
            return Err(AuthError::Invalid(format!("not a token of {expected}")));
        }
        if let Some(node) = claim(user, NODE_CLAIM) {
            return Ok(node);
        }
        let Some(pod) = claim(user, POD_CLAIM) else {
            return Err(AuthError::NoNode("it is not bound to a pod".to_owned()));
        };
        let pods: Api<Pod> = Api::namespaced(self.client.0.clone(), &self.namespace);
        let found = pods.get_opt(&pod).await.map_err(unavailable)?;
        found
            .and_then(|pod| pod.spec?.node_name)
            .ok_or_else(|| AuthError::NoNode(format!("pod {pod} is gone or not on a node")))
    }
}

fn claim(user: &UserInfo, name: &str) -> Option<String> {
    user.extra.as_ref()?.get(name)?.first().cloned()
}

fn unavailable(error: kube::Error) -> AuthError {
    AuthError::Unavailable(error.to_string())
}

#[cfg(test)]
mod tests {
    use http::{Request, Response};
    use kube::client::Body;
    use serde_json::{Value, json};

    use super::*;

    type Handle = tower_test::mock::Handle<Request<Body>, Response<Body>>;

    fn reviews() -> (TokenReviews, Handle) {
        let (service, handle) = tower_test::mock::pair();
        let client = kube::Client::new(service, "default");
        (TokenReviews::new(client, "bpfleet".to_owned(), "bpfleet-agent".to_owned()), handle)
    }

    /// Answers one request with this, and returns the request's path.
    async fn answer(handle: &mut Handle, body: Value) -> String {
        let (request, send) = handle.next_request().await.expect("a request");
        let bytes = serde_json::to_vec(&body).expect("serialises");
        send.send_response(Response::new(Body::from(bytes)));
        request.uri().path().to_owned()
    }

    fn review(username: &str, audience: &str, extra: Value) -> Value {
        let user = json!({"username": username, "extra": extra});
        json!({
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "metadata": {}, "spec": {"token": "t"},
            "status": {"authenticated": true, "audiences": [audience], "user": user},
        })
    }

    const AGENT: &str = "system:serviceaccount:bpfleet:bpfleet-agent";

    #[tokio::test]
    async fn a_node_claim_is_taken_and_remembered() {
        let (reviews, mut handle) = reviews();
        let good = review(AGENT, TOKEN_AUDIENCE, json!({NODE_CLAIM: ["node-a"]}));
        let (node, _) = tokio::join!(reviews.node_of("t"), answer(&mut handle, good));
        assert_eq!(node.as_deref(), Ok("node-a"));
        assert_eq!(reviews.node_of("t").await.as_deref(), Ok("node-a"), "without another request");
    }

    #[tokio::test]
    async fn without_a_node_claim_the_pod_is_asked_for() {
        let (reviews, mut handle) = reviews();
        let bound = review(AGENT, TOKEN_AUDIENCE, json!({POD_CLAIM: ["agent-x"]}));
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "agent-x"},
                         "spec": {"nodeName": "node-b", "containers": []}});
        let served = async {
            answer(&mut handle, bound).await;
            answer(&mut handle, pod).await
        };
        let (node, path) = tokio::join!(reviews.node_of("t"), served);
        assert_eq!(node.as_deref(), Ok("node-b"));
        assert_eq!(path, "/api/v1/namespaces/bpfleet/pods/agent-x");
    }

    #[tokio::test]
    async fn tokens_of_others_and_for_others_are_refused() {
        for (username, audience) in [("system:serviceaccount:bpfleet:other", TOKEN_AUDIENCE), (AGENT, "kubernetes")] {
            let (reviews, mut handle) = reviews();
            let bad = review(username, audience, json!({NODE_CLAIM: ["node-a"]}));
            let (node, _) = tokio::join!(reviews.node_of("t"), answer(&mut handle, bad));
            assert!(matches!(node, Err(AuthError::Invalid(_))), "{node:?}");
        }
    }
}
