//! Plain values in maps: reading, writing, removing.

use crate::script::output_of;

#[test]
fn a_missing_key_reads_as_zero_or_empty() {
    assert_eq!(output_of(r#"begin { print(@a[1]); print(@s[1]); if (0) { @a[1] = 5; @s[1] = "x"; } }"#), "0\n\n");
}

#[test]
fn a_value_is_what_was_assigned_last() {
    assert_eq!(output_of("begin { @ = 1; @ = 2; @k[5] = 7; @k[5] = 8; print(@ + @k[5]); }"), "10\n@: 2\n@k[5]: 8\n");
}

#[test]
fn maps_are_counted_up_and_down_in_place() {
    assert_eq!(
        output_of("begin { @++; @ += 5; @ -= 2; @k[1]++; @k[1] += 3; print(@k[1]--); print(++@); }"),
        "4\n5\n@: 5\n@k[1]: 3\n"
    );
}

#[test]
fn other_operators_read_and_write() {
    assert_eq!(output_of("begin { @ = 6; @ *= 7; @ |= 1; @ <<= 1; }"), "@: 86\n");
}

#[test]
fn a_deleted_element_is_gone() {
    let source = "begin { @[1] = 1; @[2] = 2; print(delete(@[1])); print(delete(@, 3)); print(has_key(@, 1)); print(has_key(@, 2)); }";
    assert_eq!(output_of(source), "true\nfalse\nfalse\ntrue\n@[2]: 2\n");
}

#[test]
fn a_deleted_scalar_was_never_assigned() {
    assert_eq!(output_of("begin { @ = 5; @c = count(); delete(@); delete(@c); }"), "");
}

#[test]
fn the_key_of_a_map_is_as_wide_as_its_widest_use() {
    assert_eq!(
        output_of("begin { @[1] = 1; @[300] = 2; @[-1] = 3; @[(uint64)1] += 5; }"),
        "@[300]: 2\n@[-1]: 3\n@[1]: 6\n"
    );
    assert_eq!(output_of(r#"begin { @["a"] = 1; @["a long key"] = 2; @["a"]++; }"#), "@[a]: 2\n@[a long key]: 2\n");
}

#[test]
fn a_tuple_in_a_variable_is_the_same_key_as_one_written_out() {
    assert_eq!(
        output_of(r#"begin { $k = (1, "x"); @[$k] = 1; @[1, "x"] += 2; print(@[1, "x"]); }"#),
        "3\n@[1, x]: 3\n"
    );
}

#[test]
fn a_map_holds_strings_and_tuples() {
    let source =
        r#"begin { @s["a"] = "one"; @s["b"] = "three"; @t[1] = (1, "x", (2, 3)); print(@t[1].2.1); print(@s["b"]); }"#;
    assert_eq!(output_of(source), "3\nthree\n@s[a]: one\n@s[b]: three\n@t[1]: (1, x, (2, 3))\n");
}

#[test]
fn an_element_of_an_aggregate_is_printed_by_its_reader() {
    assert_eq!(output_of("begin { @[1] = count(); @[1] = count(); print(@[1]); clear(@); }"), "2\n");
}

#[test]
fn a_start_and_an_end_meet_by_thread() {
    let source = "kprobe:vfs_read { @start[tid] = nsecs; } \
                  kretprobe:vfs_read /@start[tid]/ { @ns[comm] = sum(nsecs - @start[tid]); delete(@start[tid]); }";
    assert_eq!(output_of(source), "@ns[tester]: 1000\n");
}

#[test]
fn a_map_takes_unsigned_numbers_after_a_literal() {
    assert_eq!(output_of("begin { @ = 0; @ = (uint64)-1; }"), "@: 18446744073709551615\n");
}
