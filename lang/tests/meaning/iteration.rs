//! Loops whose turns are calls of a function.

use lang::options::Options;

use crate::script::{Script, looped, target};

#[test]
fn a_map_is_visited_element_by_element() {
    assert_eq!(
        looped(r#"begin { @a["x"] = 1; @a["y"] = 2; for ($kv : @a) { printf("%s=%d\n", $kv.0, $kv.1); } clear(@a); }"#),
        "x=1\ny=2\n"
    );
    assert_eq!(
        looped(
            "begin { @a[1, 2] = (3, 4); for ($kv : @a) { print($kv); print($kv.0.1 + $kv.1.0); } delete(@a, (1, 2)); }"
        ),
        "((1, 2), (3, 4))\n5\n"
    );
}

#[test]
fn what_a_map_aggregates_is_visited_as_a_number() {
    assert_eq!(
        looped(
            "begin { @c[5] = count(); @c[5] = count(); @m[5] = max(9); for ($kv : @c) { print($kv); } for ($kv : @m) { print($kv); } clear(@c); clear(@m); }"
        ),
        "(5, 2)\n(5, 9)\n"
    );
}

#[test]
fn turns_share_the_variables_around_them() {
    assert_eq!(
        looped(
            r#"begin { $sum = 0; $last = ""; @a[1] = "one"; @a[2] = "two"; for ($kv : @a) { $sum += $kv.0; $last = $kv.1; } print(($sum, $last)); clear(@a); }"#
        ),
        "(3, two)\n"
    );
    assert_eq!(
        looped("rawtracepoint:record { $n = 0; for ($i : 0..arg0) { $n++; @ = sum(arg1); } print($n); }"),
        "7\n@: 49\n"
    );
}

#[test]
fn loops_stand_inside_of_loops() {
    assert_eq!(
        looped(
            "begin { @a[1] = 10; @b[2] = 20; $n = 3; for ($x : @a) { for ($y : @b) { for ($i : 0..$n) { @ = sum($x.1 * $y.1 + $i); } } } clear(@a); clear(@b); }"
        ),
        "@: 603\n"
    );
}

#[test]
fn loops_are_left_and_go_on() {
    let source = |end: &str| {
        format!(
            "begin {{ $n = 6; for ($i : 0..$n) {{ if ($i == 1) {{ continue; }} if ($i == 3) {{ {end}; }} print($i); }} print(\"end\"); }}"
        )
    };
    assert_eq!(looped(&source("break")), "0\n2\nend\n");
    assert_eq!(looped(&source("return")), "0\n2\n");
    assert_eq!(
        looped(
            "begin { $n = 6; for ($i : 0..$n) { for ($j : 0..$n) { if ($j == 2) { return; } print(($i, $j)); } } print(7); }"
        ),
        "(0, 0)\n(0, 1)\n"
    );
}

#[test]
fn a_loop_runs_while_its_condition_holds() {
    assert_eq!(
        looped("begin { $x = 0; while ($x < 1000) { $x++; if ($x % 2) { continue; } @ += 1; } print($x); }"),
        "1000\n@: 500\n"
    );
}

#[test]
fn a_range_that_ends_before_it_starts_has_no_turns() {
    assert_eq!(looped("begin { $n = -5; for ($i : 3..$n) { print($i); } print(\"end\"); }"), "end\n");
}

#[test]
fn ranges_are_as_long_as_they_say() {
    assert_eq!(looped("begin { for ($i : 0..5000) { @ = max($i); @n = count(); } }"), "@: 4999\n@n: 5000\n");
}

#[test]
fn a_loop_that_never_runs_leaves_no_function_behind() {
    let mut newer = target();
    newer.features.bpf_loop = true;
    let source = |word: &str| {
        format!(
            "begin {{ $i = 0; if (\"a\" == \"{word}\") {{ while ($i < 3) {{ $i++; }} }} for ($j : 0..9) {{ $i++; }} print($i); }}"
        )
    };
    let functions = |word| Script::on(&newer, &source(word), &Options::default()).compiled.programs[0].functions.len();
    assert_eq!((functions("a"), functions("b")), (2, 1));
    assert_eq!((looped(&source("a")), looped(&source("b"))), ("12\n".to_owned(), "9\n".to_owned()));
}
