//! Symbols of processes that have ended before anybody asks for them.

use super::*;

/// What libraries call the place where a process ends.
fn ends(printed: &str) -> bool {
    printed.contains("    _exit+") || printed.contains("    _Exit+")
}

#[test]
fn a_process_that_is_gone_has_its_symbols() {
    let app = program!("gcc", "shop.c", "-fPIE", "-pie");
    let printed = app.printed(
        r#"software:page-faults:1 /pid == cpid/ { @faults[usym(reg("ip"))] = count(); }
           tracepoint:syscalls:sys_enter_exit_group /pid == cpid/ { @stacks[ustack(1)] = count(); }"#,
    );
    assert!(printed.contains("\n@faults[_start]: 1\n"), "{printed}");
    assert!(ends(&printed) && printed.contains("\n]: 1\n"), "{printed}");
}

#[test]
fn a_child_that_is_gone_has_the_symbols_of_its_parent() {
    let app = program!("gcc", "shop.c", "-fPIE", "-pie");
    let script =
        r#"tracepoint:syscalls:sys_enter_exit_group /comm == "sh" && pid != cpid/ { @[ustack(1)] = count(); }"#;
    let printed = app.trace_with(script, |options| options.command = Some("sh -c (true);(true);true".to_owned()));
    let printed = printed.unwrap_or_else(|error| panic!("{error}"));
    assert!(ends(&printed) && printed.contains("\n]: "), "{printed}");
}
