//! Macros: what their parameters take, and whose variables are whose.

use crate::script::output_of;

#[test]
fn a_macro_is_its_body_with_the_arguments_in_it() {
    assert_eq!(output_of("macro add(x, y) { x + y } begin { print(add(2, 3) * 2); }"), "10\n");
}

#[test]
fn a_variable_or_a_map_is_handed_over_itself() {
    let source = "macro up($v) { $v++; } macro note(@m, k) { @m[k] = count(); } \
                  begin { $x = 1; up($x); print($x); note(@calls, pid); note(@calls, pid); }";
    assert_eq!(output_of(source), "2\n@calls[42]: 2\n");
}

#[test]
fn the_variables_of_a_body_are_its_own() {
    assert_eq!(output_of("macro ten(y) { $x = 10; $x + y } begin { $x = 3; print(ten($x)); print($x); }"), "13\n3\n");
}

#[test]
fn macros_call_macros() {
    assert_eq!(output_of("macro a(x) { b(x) + 1 } macro b(x) { x * 2 } begin { print(a(5)); }"), "11\n");
}

#[test]
fn a_macro_of_other_arguments_leaves_a_function_alone() {
    assert_eq!(
        output_of(
            r#"macro strlen(a, b) { strlen(a) + strlen(b) } macro twice() { "x%d\n" } begin { print(strlen("ab", "c")); printf(twice(), strlen("abc")); }"#
        ),
        "3\nx3\n"
    );
}

#[test]
fn a_macro_takes_a_type() {
    assert_eq!(
        output_of(
            "macro sizes(a, b) { sizeof(a[2]) + sizeof(b*) + sizeof(b) } macro all_ones(t) { (t)-1 } begin { print(sizes(typeof(uint64), typeof(uint8))); print(all_ones(typeof(uint16))); }"
        ),
        "25\n65535\n"
    );
}
