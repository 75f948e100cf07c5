//! Functions on strings and bytes.

use lang::options::Options;

use crate::script::{Script, looped, output_of, target, value_of};

#[test]
fn a_string_is_found_in_another() {
    assert_eq!(
        value_of(r#"(strstr("hello", "l"), strstr("hello", "lo"), strstr("hello", "x"), strstr("a", ""))"#),
        "(2, 3, -1, 0)"
    );
    // `comm` is "tester".
    assert_eq!(
        value_of(r#"(strstr(comm, "ter"), strstr(comm, "tester"), strstr(comm, "testers"), strstr(comm, ""))"#),
        "(3, 0, -1, 0)"
    );
    assert_eq!(value_of(r#"(strstr("a tester", comm), strstr("a test", comm), strstr(comm, comm))"#), "(2, -1, 0)");
    assert_eq!(output_of(r#"begin { $n = "est"; $n = ""; print(strstr(comm, $n)); }"#), "0\n");
    assert_eq!(
        value_of(r#"(strcontains(comm, "est"), strcontains(comm, "set"), strcontains("x", "x"))"#),
        "(true, false, true)"
    );
}

#[test]
fn constants_become_strings_and_are_cut() {
    assert_eq!(
        value_of(r#"(str("hello", 3), str("hello", 9), str("hello", 0), str("a\xffb", 2))"#),
        "(hel, hello, , a\u{fffd})"
    );
    assert_eq!(value_of("(str(12), str(-34, 2))"), "(12, -3)");
    let options = Options { args: vec!["abcdef".to_owned()], ..Options::default() };
    let script = "begin { print((str($1), str($1, 2), str($1 + 2, 3))); }";
    let mut script = Script::with(script, &options);
    script.fire(0, &[]);
    assert_eq!(script.output(), "(abcdef, ab, cde)\n");
}

#[test]
fn nothing_counts_behind_a_nul() {
    assert_eq!(value_of(r#"(strcontains("hello\0world", "world"), strlen("ab\0cd"))"#), "(false, 2)");
    assert_eq!(
        output_of(r#"begin { $s = "hello\0world"; print(strcontains($s, "world")); print(strcontains($s, "lo")); }"#),
        "false\ntrue\n"
    );
}

#[test]
fn long_strings_are_searched_too() {
    let text = "abcdefghij".repeat(60);
    let source = format!(
        r#"begin {{ @s = "{text}xyz"; @n = "jxyz"; print(strstr(@s, "xyz")); print(strstr(@s, @n)); print(strstr(@s, "nothing")); print(strlen(@s)); clear(@s); clear(@n); }}"#
    );
    assert_eq!(looped(&source), "600\n599\n-1\n603\n");
}

#[test]
fn strings_have_a_length_and_a_capacity() {
    assert_eq!(
        value_of(r#"(strlen(comm), strlen("seven .") , strlen(""), strcap(comm), strcap("abc"))"#),
        "(6, 7, 0, 16, 4)"
    );
    assert_eq!(
        output_of(
            r#"begin { @["a"] = "12345678"; @["b"] = ""; print((strlen(@["a"]), strlen(@["b"]), strlen(@["c"]))); clear(@); }"#
        ),
        "(8, 0, 0)\n"
    );
}

#[test]
fn strings_are_put_one_behind_the_other() {
    assert_eq!(
        value_of(r#"(str_concat("a", "bc"), str_concat(comm, "!"), str_concat("one ", comm), str_concat(comm, comm))"#),
        "(abc, tester!, one tester, testertester)"
    );
    assert_eq!(
        output_of(r#"begin { $s = str_concat(comm, "x"); print($s == "testerx"); print(strlen($s)); }"#),
        "true\n7\n"
    );
}

#[test]
fn bytes_are_compared() {
    assert_eq!(
        value_of(r#"(memcmp(pton("10.0.0.1"), pton("10.0.0.2"), 3), memcmp(pton("10.0.0.1"), pton("10.0.0.2"), 4))"#),
        "(0, -1)"
    );
    assert_eq!(
        value_of(r#"(memcmp("abcdefghijkl", "abcdefghijyl", 12), memcmp("\xffb", "\x01b", 2), memcmp("ab", "ac", 1))"#),
        "(-14, 254, 0)"
    );
    assert_eq!(output_of(r#"begin { $a = comm; if (memcmp($a, "tester", 6) == 0) { print("same"); } }"#), "same\n");
}

#[test]
fn numbers_have_names() {
    assert_eq!(
        value_of("(syscall_name(59), syscall_name(9999), syscall_name(-1))"),
        "(execve, Unknown syscall, Unknown syscall)"
    );
    assert_eq!(value_of("(signal_name(2), signal_name(0), signal_name(1024))"), "(Interrupt, Unknown signal 0, N/A)");
}

#[test]
fn a_cgroup_has_an_id_by_its_path() {
    assert_eq!(value_of(r#"cgroupid("/sys/fs/cgroup/known")"#), "77");
}

#[test]
fn what_a_value_is_can_be_asked() {
    assert_eq!(
        value_of(
            r#"(is_str(comm), is_str(1), is_literal("x"), is_literal(pid), is_integer(pid), is_unsigned_integer(-1), is_array(pton("::1")), is_ptr((int8 *)0))"#
        ),
        "(true, false, true, false, true, false, true, true)"
    );
}

#[test]
fn an_element_is_found_or_not() {
    assert_eq!(
        output_of(
            r#"begin { @m["k"] = (1, "hello"); let $v; print(find(@m, "x", $v)); print(find(@m, "k", $v)); print($v); @n[1] = 7; $w = 3; print((find(@n, 2, $w), $w, find(@n, 1, $w), $w)); clear(@m); clear(@n); }"#
        ),
        "false\ntrue\n(1, hello)\n(false, 3, true, 7)\n"
    );
}

#[test]
fn an_assertion_ends_the_script() {
    assert_eq!(
        output_of(r#"begin { assert(pid == 42, "fine"); print(1); assert(pid == 1, "not fine"); print(2); }"#),
        "1\nerror 1:46-74: assert failed: not fine\nexit 1\n"
    );
}

#[test]
fn settings_are_known() {
    assert_eq!(
        value_of("(config.max_strlen, config().stack_mode, config.print_maps_on_exit)"),
        "(1024, bpftrace, true)"
    );
}

#[test]
fn pointers_count_by_what_they_point_to() {
    assert_eq!(
        output_of("begin { @ = (int32 *)0x32; @++; $p = (int64 *)8; $p++; $q = $p--; print(($p, $q)); }"),
        "(0x8, 0x10)\n@: 0x36\n"
    );
}

#[test]
fn strings_are_read_to_a_length_known_late() {
    assert_eq!(
        output_of(
            r#"begin { $s = "abcdef"; $n = 3; print(str(&$s, $n)); $n = 100; print(str(&$s, $n)); $n = 1; print(str(&$s, $n) == ""); }"#
        ),
        "ab\nabcdef\ntrue\n"
    );
}

#[test]
fn literals_are_bytes_too() {
    assert_eq!(
        output_of(
            r#"begin { printf("%r %rx %rh\n", buf("a\0b", 3), buf("ab", 2), buf("Hi\0", 3)); @[buf("k", 1)] = 1; }"#
        ),
        "a\\x00b \\x61\\x62 48 69 00\n@[k]: 1\n"
    );
}

#[test]
fn the_elements_of_a_map_are_counted() {
    assert_eq!(
        looped("begin { @[1] = 1; @[2] = 2; print(len(@)); $n = len(@); delete(@, 1); print($n - len(@)); clear(@); }"),
        "2\n1\n"
    );
}

#[test]
fn a_parameter_may_be_read_from_its_middle() {
    let options = Options { args: vec!["hello".to_owned()], ..Options::default() };
    let mut script = Script::on(&target(), "begin { print((str($1 + 2), str($1))); }", &options);
    script.fire(0, &[]);
    assert_eq!(script.output(), "(llo, hello)\n");
}

#[test]
fn a_parameter_may_be_a_probe() {
    let options = Options { args: vec!["IN".to_owned(), "rawtracepoint:record".to_owned()], ..Options::default() };
    let mut script = Script::on(&target(), "BEG$1 { print(1); } $2 { print(arg0); }", &options);
    script.fire(0, &[]);
    script.fire(1, &7u64.to_ne_bytes());
    assert_eq!(script.output(), "1\n7\n");
}

#[test]
fn the_process_of_a_command_is_known() {
    let options = Options { child: Some(4711), ..Options::default() };
    let mut script = Script::on(&target(), "begin { print((cpid, __builtin_cpid, cpid(), has_cpid)); }", &options);
    script.fire(0, &[]);
    assert_eq!(
        (script.output(), output_of("begin { print((cpid, has_cpid)); }")),
        ("(4711, 4711, 4711, true)\n".into(), "(0, false)\n".into())
    );
}

#[test]
fn literals_take_any_bytes() {
    assert_eq!(
        output_of(
            r#"begin { printf("%rx %d\n", buf("\x00\xff\xc3", 3), strlen("a\xff\xfe")); print(macaddr("\xaa\xbb\x0c\xdd\xee\xff")); }"#
        ),
        "\\x00\\xff\\xc3 3\nAA:BB:0C:DD:EE:FF\n"
    );
    assert_eq!(
        output_of(
            r#"begin { $s = "\xff\xfeb"; print((sizeof($s), $s == "\xff\xfeb", $s == "\xff\xfec", strstr($s, "\xfeb"), strncmp($s, "\xff", 1), strstr("\xff\xfe", "\xfe"))); }"#
        ),
        "(4, true, false, 1, 0, 1)\n"
    );
}

#[test]
fn a_variable_that_find_makes_is_zero_where_nothing_is_found() {
    let source = r#"begin { @m[1] = 7; print((find(@m, 2, $a), $a)); if (find(@m, 1, $b)) { print($b); } clear(@m); }"#;
    assert_eq!(output_of(source), "(false, 0)\n7\n");
}
