//! Structs, bit-fields and arrays in the program's own memory; addresses of variables.

use crate::script::output_of;

const DEFINITIONS: &str = "struct part { int a; char name[6]; } struct whole { short s; struct part p; int list[3]; unsigned long x:4, y:60; }";

/// Runs a body with a struct in memory whose bytes count up.
fn with_struct(body: &str) -> String {
    let fill = "$w = *(struct whole *)&$bytes;";
    let bytes = r#"$bytes = ((uint64)0x0000000500000001, (uint64)0x0000636261, (uint64)0x0000000900000008, (uint64)0x0a, (uint64)0x23, (uint64)0);"#;
    output_of(&format!("{DEFINITIONS} begin {{ {bytes} {fill} {body} }}"))
}

#[test]
fn a_struct_prints_with_its_members() {
    assert_eq!(
        with_struct("print($w);"),
        "{ .s = 1, .p = { .a = 5, .name = abc }, .list = [8,9,10], .x = 0, .y = 35 }\n"
    );
}

#[test]
fn a_number_with_a_fraction_is_nothing_in_a_struct() {
    let source = "struct mixed { int a; float f; double d[2]; int b; }
        begin { $bytes = ((uint64)7, (uint64)0, (uint64)0, (uint64)9); $m = *(struct mixed *)&$bytes; print($m); print($m.b); }";
    assert_eq!(output_of(source), "{ .a = 7, .f = , .d = , .b = 9 }\n9\n");
}

#[test]
fn members_of_held_structs_are_reached() {
    assert_eq!(
        with_struct(
            "print(($w.s, $w.p.a, $w.p.name, $w.list[1], $w.x)); $p = $w.p; print($p.a); print($p.name == \"abc\");"
        ),
        "(1, 5, abc, 9, 0)\n5\ntrue\n"
    );
}

#[test]
fn structs_are_kept_in_maps() {
    assert_eq!(
        with_struct("@s = $w; print(@s.p.a); @k[$w.p] = 1; @t = (7, $w.p); print(@t.1.a); clear(@s); clear(@t);"),
        "5\n5\n@k[{ .a = 5, .name = abc }]: 1\n"
    );
}

#[test]
fn elements_are_found_by_numbers_known_late() {
    assert_eq!(
        with_struct("$l = $w.list; $i = 2; print($l[$i]); $i = 5; print($l[$i]); $s = \"abc\"; $i = 1; print($s[$i]);"),
        "10\nwarning 1:338-340: Array access out of bounds. This can lead to unexpected results.\n0\n98\n"
    );
}

#[test]
fn variables_have_addresses() {
    assert_eq!(
        output_of("begin { $x = (uint64)0x1122334455667788; $p = &$x; print(*$p == $x); print(*(uint8 *)$p); }"),
        "true\n136\n"
    );
    assert_eq!(
        output_of(r#"begin { $s = "abc"; print(*(uint8 *)&$s); $x = 1; $p = &$x; $x = 2; print(*$p); }"#),
        "97\n2\n"
    );
}

#[test]
fn integers_and_arrays_are_cast_into_each_other() {
    assert_eq!(
        output_of("begin { print((int8[8])12345); print(((int8[8])12345)[0]); print((bool[2])(uint16)1); }"),
        "[57,48,0,0,0,0,0,0]\n57\n[true,false]\n"
    );
    assert_eq!(
        output_of(
            r#"begin { print((int8[])"hello"); print((uint32)pton("127.0.0.1")); print((uint8[])(uint32)258); }"#
        ),
        "[104,101,108,108,111,0]\n16777343\n[2,1,0,0]\n"
    );
}

#[test]
fn attributes_end_a_definition() {
    assert_eq!(
        output_of(
            "struct a { int x; char y; int z; } struct b { int x; char y; int z; } __attribute__((packed)) struct c { int x; char y; } __attribute__((packed)) __attribute__((aligned(1))); begin { print((sizeof(struct a), sizeof(struct b), sizeof(struct c))); }"
        ),
        "(12, 9, 5)\n"
    );
}
