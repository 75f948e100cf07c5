//! What maps aggregate.

use crate::script::{Script, output_of};

/// A script whose only probe is a raw tracepoint that fired with these arguments.
fn fired(source: &str, values: &[i64]) -> String {
    let mut script = Script::new(source);
    for value in values {
        script.fire(0, &value.to_ne_bytes());
    }
    script.output()
}

#[test]
fn a_count_counts_and_a_sum_adds() {
    assert_eq!(fired("rawtracepoint:record { @c = count(); @s = sum(arg0); }", &[5, 6, 7]), "@c: 3\n@s: 18\n");
}

#[test]
fn extremes_know_the_sign_of_their_values() {
    let source =
        "rawtracepoint:record { $v = (int64)arg0; @a = min($v); @b = max($v); @c = min(arg0); @d = max(arg0); }";
    let unsigned = (-4i64) as u64;
    assert_eq!(fired(source, &[3, -4, 9]), format!("@a: -4\n@b: 9\n@c: 3\n@d: {unsigned}\n"));
}

#[test]
fn a_zero_is_an_extreme_too() {
    assert_eq!(
        fired("rawtracepoint:record { @a = min(arg0); @b = max((int64)arg0 - 10); }", &[5, 0]),
        "@a: 0\n@b: -5\n"
    );
}

#[test]
fn an_average_keeps_its_total_and_count() {
    let printed = fired("rawtracepoint:record { @a = avg((int64)arg0); @s = stats((int64)arg0); }", &[-10, -1]);
    assert_eq!(printed, "@a: -5\n@s: { .count = 2, .average = -5, .total = -11 }\n");
}

#[test]
fn a_map_without_key_prints_only_once_assigned() {
    assert_eq!(fired("rawtracepoint:record { if (arg0) { @ = count(); } }", &[0]), "");
}

#[test]
fn keys_count_apart() {
    assert_eq!(
        fired("rawtracepoint:record { @[arg0 % 2, comm] = count(); }", &[1, 2, 3]),
        "@[0, tester]: 1\n@[1, tester]: 2\n"
    );
}

#[test]
fn a_sign_seen_anywhere_makes_the_whole_map_signed() {
    assert_eq!(output_of("begin { @ = sum(5); @ = sum((int64)-7); }"), "@: -2\n");
}

#[test]
fn what_finds_its_map_full_is_counted() {
    let source = "config = { max_map_keys = 2 } rawtracepoint:record { @c[arg0] = count(); @p[arg0] = 1; }";
    let mut script = Script::new(source);
    for value in 0..5u64 {
        script.fire(0, &value.to_ne_bytes());
    }
    assert_eq!(script.lost(), [0, 0, 6]);
    assert_eq!(script.output(), "@c[0]: 1\n@c[1]: 1\n@p[0]: 1\n@p[1]: 1\n");
}

#[test]
fn an_event_that_finds_the_buffer_full_is_counted() {
    let mut script = Script::new(r#"rawtracepoint:record { printf("%s\n", comm); @ = count(); }"#);
    script.machine.full = true;
    script.fire(0, &[0; 8]);
    assert_eq!(script.lost(), [1, 0, 0]);
    assert_eq!(script.output(), "@: 1\n");
}

#[test]
fn stacks_are_numbers_until_they_are_read() {
    assert_eq!(output_of("profile:hz:99 { @[kstack] = count(); }"), "@[\n        0x7ffffffed63dd5f9\n]: 1\n");
}

#[test]
fn an_aggregate_reads_as_a_number() {
    let source = "rawtracepoint:record { $v = (int64)arg0; @c = count(); @s[1] = sum($v); @a = min($v); @b = max($v); @v = avg($v); \
                  if (@c == 2) { print((@c, @s[1], @s[2], @a, @b, @v)); printf(\"%d\\n\", @s[1] * 2); clear(@s); } }";
    let printed = fired(source, &[-10, 4]);
    assert_eq!(printed.lines().next(), Some("(2, -6, 0, -10, 4, -3)"));
    assert_eq!(printed.lines().nth(1), Some("-12"));
}
