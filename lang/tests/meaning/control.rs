//! Control flow: conditions, branches, loops, leaving.

use lang::compiled::Compiled;
use lang::options::Options;
use report::schema::{EventKind, PrintfTo};

use crate::script::{Script, output_of, target, value_of};

#[test]
fn a_predicate_decides_whether_anything_happens() {
    let mut script = Script::new("rawtracepoint:record /arg0 > 5 && pid == 42/ { @ = sum(arg0); }");
    for value in [1u64, 6, 7] {
        script.fire(0, &value.to_ne_bytes());
    }
    assert_eq!(script.output(), "@: 13\n");
}

#[test]
fn logic_stops_as_soon_as_it_knows() {
    assert_eq!(
        output_of("begin { if (0 && @a++) { } if (1 || @b++) { } $x = 1; if ($x && @c++ == 0) { @d = 1; } }"),
        "@c: 1\n@d: 1\n"
    );
    assert_eq!(value_of("(1 && 0, 1 || 0, !5, 3 == 3)"), "(false, true, false, true)");
}

#[test]
fn branches_take_one_way() {
    let source = "begin { $a = 5; if ($a > 3) { print(1); } else { print(2); } if ($a == 1) { print(3); } else if ($a == 5) { print(4); } else { print(5); } }";
    assert_eq!(output_of(source), "1\n4\n");
}

#[test]
fn comptime_leaves_one_branch() {
    let source = r#"macro show(x) { if comptime is_str(x) { printf("%s\n", x); } else if comptime (is_ptr(x)) { print("there"); } else { print(x + 1); } }
        begin { show("text"); show(41); show((int8 *)5); $n = (uint16)1; print(if comptime (typeinfo($n).full_type == "uint16") { 16 } else { "no" }); }"#;
    assert_eq!(output_of(source), "text\n42\nthere\n16\n");
}

#[test]
fn a_choice_has_the_type_of_both_sides() {
    assert_eq!(
        output_of(
            r#"begin { $a = 5; print($a > 3 ? "yes" : "certainly not"); print($a < 3 ? 1 : 1000); print($a ?: 7); }"#
        ),
        "yes\n1000\n5\n"
    );
}

#[test]
fn loops_end_and_can_be_left() {
    assert_eq!(
        output_of(
            "begin { $i = 0; while ($i < 10) { $i++; if ($i == 3) { continue; } if ($i == 6) { break; } @ += $i; } print($i); }"
        ),
        "6\n@: 12\n"
    );
    assert_eq!(output_of("begin { for ($i : 0..5) { @ += $i; } }"), "@: 10\n");
    assert_eq!(output_of("begin { unroll (4) { @ += 2; } }"), "@: 8\n");
}

#[test]
fn nothing_runs_after_a_return_or_an_exit() {
    assert_eq!(output_of("begin { @ = 1; return; @ = 2; }"), "@: 1\n");
    assert_eq!(output_of("begin { @ = 1; exit(3); @ = 2; }"), "exit 3\n@: 1\n");
    assert_eq!(output_of("begin { if (1) { exit(); } @ = 2; }"), "exit 0\n");
}

#[test]
fn a_block_has_a_value_and_its_own_variables() {
    assert_eq!(output_of("begin { $x = 1; $y = { let $x = 5; $x + 1 }; print(($x, $y)); }"), "(1, 6)\n");
}

#[test]
fn a_declared_variable_is_zero_until_assigned() {
    assert_eq!(
        output_of(r#"begin { let $x; if (0) { $x = 5; } print($x); let $s; print($s); $s = "abc"; print($s); }"#),
        "0\n\nabc\n"
    );
}

#[test]
fn with_a_process_chosen_the_others_do_not_count() {
    let options = |pid| lang::Options { pid: Some(pid), ..lang::Options::default() };
    for (pid, counted) in [(42, "@: 1\n"), (41, "")] {
        let mut script = Script::with("rawtracepoint:record { @ = count(); }", &options(pid));
        script.fire(0, &[0; 8]);
        assert_eq!(script.output(), counted);
    }
}

#[test]
fn a_variable_without_let_outlives_the_block_of_its_first_assignment() {
    let source = r#"begin { if (pid == 1) { $x = 5; $s = "one"; } else { $x = 7; $s = "other"; } print(($x, $s)); }"#;
    assert_eq!(output_of(source), "(7, other)\n");
    assert_eq!(output_of("begin { if (pid == 1) { $x = 5; } print($x); }"), "0\n");
    assert_eq!(output_of(r#"begin { if (pid == 1) { $x = 5; } else { $x = "text"; print($x); } }"#), "text\n");
}

#[test]
fn an_unrolled_loop_can_be_left_too() {
    assert_eq!(
        output_of(
            "begin { $i = 0; unroll (10) { $i++; if ($i == 2) { continue; } if ($i == 5) { break; } @ += $i; } }"
        ),
        "@: 8\n"
    );
    assert_eq!(output_of("begin { unroll (3) { @++; if (@ == 2) { exit(); } } }"), "exit 0\n@: 2\n");
}

#[test]
fn a_macro_called_as_a_statement_may_leave_the_probe() {
    assert_eq!(output_of("macro stop() { return; } begin { @ = 1; stop(); @ = 2; }"), "@: 1\n");
}

#[test]
fn a_block_may_end_with_what_a_map_aggregates() {
    assert_eq!(output_of("begin { @ = { let $a = 100; avg($a) }; @ = { { avg(50) } }; }"), "@: 75\n");
}

#[test]
fn timers_do_nothing_once_the_script_has_ended_itself() {
    let mut script = Script::new("interval:s:1 { @++; if (@ == 2) { exit(); } } end { print(@); }");
    (0..5).for_each(|_| script.fire(0, &[0; 64]));
    script.fire(1, &[]);
    assert_eq!(script.output(), "exit 0\n@: 2\n@: 2\n");
}

#[test]
fn what_is_missing_is_told_where_that_is_asked_for() {
    let source = "begin { @[1] = 5; print(@[2]); $m = @[1]; }";
    let options = Options { helper_errors: true, ..Options::default() };
    let mut script = Script::on(&target(), source, &options);
    script.fire(0, &[]);
    let output = script.output();
    assert!(output.contains("helper: \"map_lookup_elem\"") && output.contains("column: 25"), "{output}");
    assert_eq!(output.matches("HelperError(HelperError").count(), 1, "{output}");
    assert!(!output_of(source).contains("HelperError"), "without that wish nothing is told");
}

#[test]
fn a_message_of_a_macro_tells_who_called_it() {
    let source = "macro bad($x) { errorf(\"bad %d\", $x); } begin { $y = 5; bad($y); }";
    let Compiled { schema, .. } = Script::new(source).compiled;
    let EventKind::Printf { to: PrintfTo::Error(site), .. } = &schema.events[0].kind else { panic!("no error") };
    assert_eq!((site.at.column, site.expanded_from.map(|at| (at.column, at.end))), (17, Some((57, 64))));
}
