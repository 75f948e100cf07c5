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
