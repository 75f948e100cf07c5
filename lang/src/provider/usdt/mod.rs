//! `usdt`: static markers that a program or library defines.

mod arguments;

use std::collections::BTreeSet;
use std::rc::Rc;

use super::Provider;
use crate::ast::AttachPoint;
use crate::compiled::Attach;
use crate::expand::{Context, Expand};
use crate::needs::{Needs, UserPattern, UserWhat};
use crate::target::{Marker, UserFile};
use crate::uses::Uses;

pub use arguments::{MarkerArgument, Source};

const SYNTAX: &str = "usdt:path:[provider:]name";

/// See the module.
pub const PROVIDER: Provider = Provider {
    name: "usdt",
    aliases: &["U"],
    syntax: SYNTAX,
    summary: "A static marker of a program or library; its arguments are `arg0`, `arg1` ..",
    example: "usdt:libc:libc:memory_heap_new { @[arg1] = count(); }",
    needs,
    expand,
};

/// File, provider and name, the last two perhaps patterns.
fn read(parts: Vec<String>, process: bool) -> Option<(String, String, String)> {
    let any = |text: String| if text.is_empty() { "*".to_owned() } else { text };
    let mut parts = parts.into_iter();
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(file), Some(provider), Some(name), None) => Some((file, any(provider), any(name))),
        (Some(file), Some(name), None, None) => Some((file, "*".into(), any(name))),
        (Some(name), None, None, None) if process => Some((String::new(), "*".into(), any(name))),
        _ => None,
    }
}

fn needs(point: &AttachPoint, _: Uses, needs: &mut Needs) {
    let parts = point.parts.iter().map(|part| part.node.clone()).collect();
    if let Some((file, provider, name)) = read(parts, needs.pid.is_some()) {
        needs.user.push(UserPattern { file, what: UserWhat::Markers { provider, name }, parameters: false });
    }
}

fn expand(expand: &mut Expand<'_>, point: &AttachPoint) {
    let parts = (0..point.parts.len()).filter_map(|index| expand.part(point, index)).collect();
    let Some((file, provider, name)) = read(parts, expand.options.pid.is_some()) else {
        return expand.malformed(point, SYNTAX);
    };
    let target = expand.target;
    let what = UserWhat::Markers { provider: provider.clone(), name: name.clone() };
    let mut found = false;
    for file in target.user_files.get(&file).into_iter().flatten() {
        let mut seen = BTreeSet::new();
        for marker in file.markers.iter().filter(|marker| what.is_marker(&marker.provider, &marker.name)) {
            found = true;
            // A marker stands wherever its function was inlined.
            let again = !seen.insert((&marker.provider, &marker.name));
            site(expand, file, marker, again);
        }
    }
    if found {
        return;
    }
    if !target.complete {
        let marker = Marker { provider, name, ..Marker::default() };
        let file = UserFile { name: file.clone(), path: file, ..UserFile::default() };
        return site(expand, &file, &marker, false);
    }
    let help = match target.user_files.contains_key(&file) {
        true => "the file has no such marker; `bpfleet probes 'usdt:PATH:*'` lists what there is",
        false => "the file is neither a path, nor a program in PATH, nor a library of this machine; name it in full",
    };
    expand.missing(point, &format!("usdt {file}:{provider}:{name}"), help);
}

fn site(expand: &mut Expand<'_>, file: &UserFile, marker: &Marker, again: bool) {
    let full = format!("{}:{}", marker.provider, marker.name);
    let arguments = arguments::parse(&marker.arguments, expand.target.arch);
    let attach = Attach::Uprobe {
        path: file.path.clone(),
        function: full.clone(),
        offset: marker.offset,
        ret: false,
        semaphore: marker.semaphore,
        again,
    };
    // A generic node says nothing of the arguments: whatever the script reads may be there.
    let arguments: Rc<[MarkerArgument]> = match expand.target.complete {
        true => arguments.into(),
        false => vec![MarkerArgument::anywhere(); 16].into(),
    };
    expand.site(attach, format!("usdt:{}:{full}", file.name), Context::Marker { arguments });
}
