//! Who an agent is: its bearer token says for which node it speaks.

mod fixed;
mod review;

pub use fixed::FixedTokens;
pub use review::TokenReviews;

/// Why a token says nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// The token is not valid, or not for this.
    #[error("the token is not valid: {0}")]
    Invalid(String),
    /// The token is valid but does not say for which node.
    #[error("the token does not name a node: {0}")]
    NoNode(String),
    /// Nobody can be asked about the token now.
    #[error("tokens cannot be checked now: {0}")]
    Unavailable(String),
}

/// Knows whose tokens are whose.
#[derive(Debug)]
pub enum TokenVerifier {
    /// From a list.
    Fixed(FixedTokens),
    /// By asking the API server.
    Review(TokenReviews),
}

impl TokenVerifier {
    /// The name of the node for which the bearer of this token speaks.
    pub async fn node_of(&self, token: &str) -> Result<String, AuthError> {
        match self {
            Self::Fixed(tokens) => tokens.node_of(token),
            Self::Review(reviews) => reviews.node_of(token).await,
        }
    }
}
