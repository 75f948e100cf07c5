//! Which attach points the user wants of a script: those whose names match a regular expression.

use regex::Regex;

use crate::ast::AttachPoint;
use crate::diagnostic::Diagnostic;
use crate::expand::{Context, Site};
use crate::options::Options;
use crate::span::Span;
use crate::{glob, provider};

/// The user's choice; without one everything is kept.
pub struct Filter(Option<Regex>);

impl Filter {
    /// Reads the expression; what is wrong with it.
    pub fn new(options: &Options) -> Result<Self, Box<Diagnostic>> {
        let Some(pattern) = &options.probe_filter else { return Ok(Self(None)) };
        Regex::new(pattern).map(|regex| Self(Some(regex))).map_err(|error| {
            // The library draws a picture of several lines; its last one says what is wrong.
            let reason = error.to_string();
            let reason = reason.lines().last().unwrap_or_default();
            let message = format!("Invalid --probe-filter regex '{pattern}': {}", reason.trim_start_matches("error: "));
            Box::new(Diagnostic::error("E0418", Span::default(), message))
        })
    }

    /// Whether an attach point may be among those to keep. One without a wildcard is judged before it is looked for: what is not
    /// wanted need not exist.
    pub fn may_keep(&self, point: &AttachPoint, options: &Options) -> bool {
        if options.trials.is_some() && !runs_in_trials(&point.provider.node) {
            return false;
        }
        let Some(regex) = &self.0 else { return true };
        let provider = provider::find(&point.provider.node).map_or(point.provider.node.as_str(), |known| known.name);
        let mut name = provider.to_owned();
        for part in &point.parts {
            name.push(':');
            name.push_str(&options.substituted(&part.node));
        }
        is_own(provider) || glob::is_pattern(&name) || regex.is_match(&name)
    }

    /// Whether a place is to be kept.
    pub fn keeps(&self, site: &Site) -> bool {
        self.0.as_ref().is_none_or(|regex| site.context == Context::Script || regex.is_match(&site.name))
    }
}

/// Whether a provider's probes are the script's own, which run whatever it watches.
fn is_own(provider: &str) -> bool {
    matches!(provider, "begin" | "end" | "self")
}

/// Whether a provider's probes run where nothing but the script's tests or benchmarks is wanted.
fn runs_in_trials(provider: &str) -> bool {
    provider::find(provider).is_none_or(|known| matches!(known.name, "begin" | "end" | "test" | "bench"))
}
