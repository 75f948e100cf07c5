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

#[test]
fn names_of_numbers_are_compared_as_text() {
    assert_eq!(
        output_of(
            r#"begin { $e = (int64)-2; print(strerror($e) == "No such file or directory"); print(strerror($e) != "Success");
               print("Success" == strerror(0)); print(signal_name(9) == "SIGTERM"); print(strerror(2)); }"#
        ),
        "true\ntrue\ntrue\nfalse\nNo such file or directory\n"
    );
}

#[test]
fn records_with_the_same_names_are_of_one_type() {
    assert_eq!(
        output_of(
            "begin { $r = (a=1, b=\"x\"); $r = (b=\"longer\", a=300); print($r); @m = $r; @m = (b=\"y\", a=2); }"
        ),
        "{ .a = 300, .b = longer }\n@m: { .a = 2, .b = y }\n"
    );
}

#[test]
fn buffers_of_different_sizes_are_compared() {
    assert_eq!(
        output_of(
            r#"begin { $a = buf("hi", 2); $b = buf("hi!", 3); print($a == $b); print($a != $b); print($b == buf("hi!", 3)); }"#
        ),
        "false\ntrue\ntrue\n"
    );
}

#[test]
fn sizes_are_those_of_a_c_compiler() {
    assert_eq!(
        value_of("(sizeof((int8)1), sizeof((1, 300, \"abc\")), sizeof(((int32)1, (int64)2)), sizeof(\"abc\"))"),
        "(1, 8, 16, 4)"
    );
    assert_eq!(output_of("begin { $x = 1; print(sizeof($x)); $y = 1; $y = 70000; print(sizeof($y)); }"), "1\n4\n");
}

#[test]
fn bit_fields_are_read_without_a_sign() {
    assert_eq!(
        output_of(
            "struct bits { int a:3; int b:5; }; begin { $n = (uint32)0xff; $p = (struct bits *)&$n; print(($p->a, $p->b)); }"
        ),
        "(7, 31)\n"
    );
}

#[test]
fn page_flags_have_names() {
    assert_eq!(
        output_of(r#"begin { printf("%gr|%30gr", 0xcc0, 0x100); }"#),
        "GFP_KERNEL|                    __GFP_ZERO"
    );
}

#[test]
fn tuples_of_different_sizes_are_compared_by_their_values() {
    assert_eq!(
        output_of(
            "begin { $a = (1, (\"longer\", true)); print($a == (1, (\"longer\", true))); print($a == (1, (\"short\", true)));
             print((a=1, b=\"xy\") == (b=\"xy\", a=(int64)1)); print(((bool)\"hello\", (bool)\"\")); }"
        ),
        "true\nfalse\ntrue\n(true, false)\n"
    );
}

#[test]
fn types_can_be_told() {
    assert_eq!(
        output_of("begin { $x = (uint64)1; print(typeinfo($x).full_type); print(typeinfo((1, \"a\"))); }"),
        "uint64\n{ .btf_id = 0, .base_type = tuple, .full_type = (int8,string[2]) }\n"
    );
}
