//! Wildcards over the tracepoints of single system calls: one program in the raw form that all system calls share.
//!
//! Each such tracepoint of its own would cost some milliseconds to attach and to detach. The raw form fires for every system call, so
//! the program first looks up whether the script asks for this one. What is not in the table of numbers attaches by itself.

use std::rc::Rc;

use crate::compiled::Attach;
use crate::expand::{Context, Expand};
use crate::syscalls::of_tracepoint;

/// From how many system calls on sharing is worth it: below, the cost of the others' events is not.
const MANY: usize = 8;

/// Adds one place for all of `events` that can share it, and returns the others. Entries share one only where no argument is read, since
/// those differ from call to call.
pub fn share<'e>(expand: &mut Expand<'_>, events: Vec<&'e str>) -> Vec<&'e str> {
    let mut rest = vec![];
    let (mut entries, mut exits) = (vec![], vec![]);
    for event in events {
        let (list, name) = match (event.strip_prefix("sys_enter_"), event.strip_prefix("sys_exit_")) {
            (Some(name), _) if !expand.uses.args => (&mut entries, name),
            (_, Some(name)) => (&mut exits, name),
            _ => {
                rest.push(event);
                continue;
            }
        };
        match of_tracepoint(expand.target.arch, name) {
            Some(number) => list.push((number, event)),
            None => rest.push(event),
        }
    }
    for (calls, exit) in [(entries, false), (exits, true)] {
        if calls.len() < MANY {
            rest.extend(calls.into_iter().map(|(_, event)| event));
        } else {
            site(expand, calls, exit);
        }
    }
    rest
}

fn site(expand: &mut Expand<'_>, mut calls: Vec<(u32, &str)>, exit: bool) {
    calls.sort_unstable();
    let events = calls.iter().map(|(_, event)| (*event).to_owned()).collect();
    let name = |event: &str| Rc::from(format!("tracepoint:syscalls:{event}"));
    let calls: Rc<[(u32, Rc<str>)]> = calls.iter().map(|(number, event)| (*number, name(event))).collect();
    let shown = format!("tracepoint:syscalls:sys_{}_*", if exit { "exit" } else { "enter" });
    expand.site(Attach::Syscalls { exit, events }, shown, Context::Syscalls { exit, calls });
}
