//! Strings, tuples, formats, arguments of the script.

use lang::Options;

use crate::script::{Script, output_of, value_of};

#[test]
fn values_print_as_they_are_typed() {
    assert_eq!(value_of(r#"(1, "a", (2, 3), true)"#), "(1, a, (2, 3), true)");
    assert_eq!(value_of(r#"(m = 2, n = "x")"#), "{ .m = 2, .n = x }");
}

#[test]
fn parts_are_reached_by_number_and_name() {
    assert_eq!(value_of(r#"(1, "a", (2, 3)).2.0"#), "2");
    assert_eq!(
        output_of(r#"begin { $r = (m = 2, n = "x"); print($r.n); print($r.m); $t = (1, "a"); print($t[1]); }"#),
        "x\n2\na\n"
    );
}

#[test]
fn strings_compare_by_their_text() {
    assert_eq!(
        output_of(
            r#"begin { print(comm == "tester"); print(comm == "test"); print(comm != "testers"); print("a" == "a"); }"#
        ),
        "true\nfalse\ntrue\ntrue\n"
    );
    assert_eq!(
        output_of(
            r#"begin { @a = "same"; @b["k"] = "same but longer"; print(@a == @b["k"]); @b["k"] = "same"; print(@a == @b["k"]); print("sixteen and more of it" == @b["k"]); }"#
        ),
        "false\ntrue\nfalse\n@a: same\n@b[k]: same\n"
    );
}

#[test]
fn printf_formats_its_values() {
    assert_eq!(
        output_of(r#"begin { printf("%s %d %-5d|%5s|%x %llu %c\n", comm, -5, 7, "ab", 255, (uint64)-1, 65); }"#),
        "tester -5 7    |   ab|ff 18446744073709551615 A\n"
    );
    assert_eq!(output_of(r#"begin { $t = (1, "x"); printf("%s %s\n", $t, true); }"#), "(1, x) true\n");
}

#[test]
fn the_script_has_arguments() {
    let options = Options { args: vec!["10".into(), "name".into(), "0x10".into()], ..Options::default() };
    let mut script =
        Script::with(r#"begin { printf("%d %s %s %d %d %d\n", $1, str($2), str($1), $3, $#, $9); }"#, &options);
    script.fire(0, &[]);
    assert_eq!(script.output(), "10 name 10 16 3 0\n");
}

#[test]
fn who_and_when_are_known() {
    assert_eq!(value_of("(pid, tid, uid, gid, cpu, comm)"), "(42, 43, 1000, 100, 0, tester)");
    assert_eq!(value_of("nsecs"), "1000001000");
}

#[test]
fn the_attach_point_has_a_name() {
    assert_eq!(output_of("kprobe:vfs_* { @[probe] = count(); }"), "@[kprobe:vfs_read]: 1\n@[kprobe:vfs_write]: 1\n");
}

#[test]
fn a_long_literal_goes_into_a_map_whole() {
    let text = "abcdefghij".repeat(20);
    assert_eq!(
        output_of(&format!("begin {{ @ = \"{text}\"; print(@ == \"{text}\"); }}")),
        format!("true\n@: {text}\n")
    );
}
