//! Integers: literals, operators, widths and signs.

use crate::script::{Script, output_of, value_of};

#[test]
fn division_cuts_towards_zero_whatever_the_signs() {
    for (a, b) in [(7, 2), (-7, 2), (7, -2), (-7, -2), (-7, 3), (6, 3), (0, 5)] {
        let printed =
            output_of(&format!("begin {{ $a = {a}; $b = {b}; print($a / $b); print($a % $b); print($a / {b}); }}"));
        assert_eq!(printed, format!("{}\n{}\n{}\n", a / b, a % b, a / b), "{a} and {b}");
    }
}

#[test]
fn constants_are_calculated_as_variables_are() {
    assert_eq!(value_of("-7 / 2"), "-3");
    assert_eq!(value_of("-7 % 3"), "-1");
    assert_eq!(value_of("(uint8)255 + (uint8)1"), "256");
    assert_eq!(value_of("1 << 3 | 2"), "10");
    assert_eq!(value_of("~0"), "-1");
}

#[test]
fn a_division_by_zero_gives_one_and_a_warning() {
    let printed = output_of("begin { $a = 10; $b = 0; print($a / $b); print($a % $b); }");
    let told = "Divide or modulo by 0 detected. This can lead to unexpected results. 1 is being used as the result.";
    let warning = |columns| format!("warning 1:{columns}: {told}\n");
    assert_eq!(printed, format!("{}1\n{}1\n", warning("32-39"), warning("48-55")));
}

#[test]
fn a_difference_is_signed_also_of_unsigned_numbers() {
    assert_eq!(output_of("begin { $a = (uint64)1; $b = (uint64)2; print($a - $b); }"), "-1\n");
}

#[test]
fn a_variable_counts_beyond_the_width_of_its_first_value() {
    assert_eq!(
        output_of("begin { $a = (int32)2147483647; $a++; print($a); $b = 127; $b++; print($b); }"),
        "2147483648\n128\n"
    );
}

#[test]
fn a_cast_cuts_and_extends() {
    assert_eq!(
        output_of("begin { $a = 511; print((uint8)$a); print((int8)$a); print((int8)128); }"),
        "255\n-1\n-128\n"
    );
    assert_eq!(
        output_of("begin { $a = -1; print((uint32)$a); print((uint64)$a); }"),
        "4294967295\n18446744073709551615\n"
    );
}

#[test]
fn comparisons_know_the_sign() {
    assert_eq!(
        output_of("begin { $a = -1; print($a < 1); print($a > 1); print((uint64)$a > 1); }"),
        "true\nfalse\ntrue\n"
    );
    assert_eq!(output_of("begin { $a = 5; $b = -1; print((uint32)$a > $b); }"), "true\n");
}

#[test]
fn variables_are_as_wide_as_what_is_assigned_to_them() {
    assert_eq!(
        output_of(
            "begin { $a = (uint16)5; $b = 1; $c = 1000; $d = (uint8)1; $d++; $e = (uint8)9; $e--; print((sizeof($a), sizeof($b), sizeof($c), sizeof($d), sizeof($e), $e)); }"
        ),
        "(2, 1, 2, 8, 8, 8)\n"
    );
    assert_eq!(
        output_of(
            "begin { $a = (uint8)1 - 2; $b = 7 - 2; @x = (uint16)7; @y[1] = 300; print((sizeof($a), sizeof($b), sizeof(@x), sizeof(@y[1]))); clear(@x); clear(@y); }"
        ),
        "(8, 1, 2, 2)\n"
    );
}

#[test]
fn narrow_numbers_of_different_signs_compare_by_their_values() {
    assert_eq!(
        output_of("begin { $a = (int8)-1; $b = (uint8)255; print(($a == $b, $a < $b, $b > $a)); }"),
        "(false, true, true)\n"
    );
    // Of 64 bits both are compared as signed.
    assert_eq!(output_of("begin { $a = (uint64)-1; $b = (int64)1; print(($a < $b, $a > 1)); }"), "(true, true)\n");
}

#[test]
fn a_declared_width_wraps() {
    assert_eq!(
        output_of(
            "begin { let $a: uint8 = 255; $a++; let $b: int16 = -32768; $b--; let $c: uint32 = 0xffffffff; $c++; print(($a, $b, $c)); }"
        ),
        "(0, 32767, 0)\n"
    );
}

#[test]
fn what_only_literals_were_assigned_to_takes_the_other_sign() {
    assert_eq!(
        output_of(
            "begin { $one = 1; $all = (uint64)-1; print($one * $all); print(-1 * $all); print(-$all); @m = 1; print(@m * $all); clear(@m); }"
        ),
        "18446744073709551615\n1\n1\n18446744073709551615\n"
    );
    assert_eq!(
        output_of(
            r#"begin { $r = (a=1, b="x"); $r = (b="longer", a=(uint64)-1); print($r); @k[1, "x"] = 1; @k[(uint64)-1, "x"] = 2; }"#
        ),
        "{ .a = 18446744073709551615, .b = longer }\n@k[1, x]: 1\n@k[18446744073709551615, x]: 2\n"
    );
}

#[test]
fn a_literal_that_was_cast_keeps_the_sign_it_was_given() {
    // Whether the cast changes the literal's own type, an int8 and an int64, or not.
    for literal in ["(int64)6", "(int8)6", "(int64)9223372036854775807"] {
        let text = format!("begin {{ $a = {literal}; $b = (uint64)-1; print($a < $b); print({literal} < $b); }}");
        assert_eq!(output_of(&text), "false\nfalse\n", "{literal}");
    }
    assert_eq!(output_of("begin { $a = 6; $b = (uint64)-1; print($a < $b); }"), "true\n");
}

#[test]
fn a_shift_right_keeps_the_sign_of_signed_numbers_only() {
    assert_eq!(output_of("begin { $a = -8; print($a >> 1); print((uint64)$a >> 60); }"), "-4\n15\n");
}

#[test]
fn steps_give_the_value_before_or_after() {
    assert_eq!(output_of("begin { $a = 5; print($a++); print(++$a); print($a--); print(--$a); }"), "5\n7\n7\n5\n");
}

#[test]
fn a_duration_is_in_nanoseconds() {
    assert_eq!(value_of("5s / 1ms"), "5000");
}

#[test]
fn arguments_are_read_from_the_registers() {
    let mut script =
        Script::new("kprobe:vfs_read { print((arg0, arg1, arg2)); } kretprobe:vfs_read { print(retval); }");
    let mut registers = [0u8; 168];
    for (offset, value) in [(112, 10u64), (104, 20), (96, 30), (80, u64::MAX)] {
        registers[offset..offset + 8].copy_from_slice(&value.to_ne_bytes());
    }
    script.fire(0, &registers);
    script.fire(1, &registers);
    assert_eq!(script.output(), "(10, 20, 30)\n18446744073709551615\n");
}

#[test]
fn numbers_and_arrays_are_cast_to_each_other_as_the_bytes_they_are() {
    assert_eq!(output_of("begin { print((int8[])\"hello\"); }"), "[104,101,108,108,111,0]\n");
    assert_eq!(output_of("begin { print((bool[2])(uint16)1); }"), "[true,false]\n");
    assert_eq!(output_of("begin { printf(\"%x\\n\", ((int8[8])12345)[0]); }"), "39\n");
    assert_eq!(output_of("begin { printf(\"%x\\n\", (uint32)pton(\"127.0.0.1\")); }"), "100007f\n");
}

#[test]
fn a_buffer_of_a_constant_holds_its_bytes() {
    assert_eq!(output_of("begin { printf(\"%rx %r\\n\", buf(\"a\\0\", 2), buf(\"ok\", 2)); }"), "\\x61\\x00 ok\n");
}

#[test]
fn what_is_narrower_than_an_address_becomes_one_with_zeros() {
    assert_eq!(
        value_of("((uint8 *)-1, (void *)(int32)-2, (void *)(int64)-1, (uint64)(void *)(int8)-1)"),
        "(0xff, 0xfffffffe, 0xffffffffffffffff, 255)"
    );
    assert_eq!(output_of("begin { $x = (int16)-3; print((void *)$x); }"), "0xfffd\n");
}
