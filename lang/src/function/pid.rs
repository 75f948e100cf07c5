//! `pid(namespace)`: the process's id, as a pid namespace has it.

use super::Function;
use super::namespace::id;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "pid",
    signature: "pid(namespace = curr_ns)",
    summary: "The process's id: in the pid namespace of whoever traces (`curr_ns`), or in the node's first (`init`).",
    example: "begin { print(pid(init)); }",
    args: (0, 1),
    changes_system: false,
    check: |checker, call| {
        id(checker, call, "pid", |lowerer| lowerer.process_id(), |lowerer| lowerer.process_id_on_node())
    },
};
