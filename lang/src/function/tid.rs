//! `tid(namespace)`: the thread's id, as a pid namespace has it.

use super::Function;
use super::namespace::id;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "tid",
    signature: "tid(namespace = curr_ns)",
    summary: "The thread's id: in the pid namespace of whoever traces (`curr_ns`), or in the node's first (`init`).",
    example: "begin { print(tid(init)); }",
    args: (0, 1),
    changes_system: false,
    check: |checker, call| {
        id(checker, call, "tid", |lowerer| lowerer.thread_id(), |lowerer| lowerer.thread_id_on_node())
    },
};
