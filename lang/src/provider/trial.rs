//! What `test` and `bench` have in common: a name, and that they are there only when they are asked for.

use crate::ast::AttachPoint;
use crate::compiled::Attach;
use crate::expand::{Context, Expand};
use crate::options::Trials;

/// The one place such a probe stands for, if the user wants probes of its kind.
pub fn expand(expand: &mut Expand<'_>, point: &AttachPoint, provider: &str, kind: Trials) {
    match (expand.part(point, 0), point.parts.len()) {
        (Some(name), 1) if !name.is_empty() => {
            if expand.options.trials == Some(kind) {
                expand.site(Attach::Trial { name: name.clone() }, format!("{provider}:{name}"), Context::Script);
            }
        }
        _ => expand.malformed(point, &format!("{provider}:name")),
    }
}
