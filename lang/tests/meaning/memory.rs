//! Memory that is not the program's: records of tracepoints, and what pointers point to.

use crate::script::Script;

/// A record as `script::target` describes it.
fn record() -> Vec<u8> {
    let mut record = vec![0u8; 80];
    record[8] = 200;
    record[12..16].copy_from_slice(&(-5i32).to_ne_bytes());
    record[16..24].copy_from_slice(&u64::MAX.to_ne_bytes());
    record[24..30].copy_from_slice(b"worker");
    record[40..44].copy_from_slice(&(60u32 | 12 << 16).to_ne_bytes());
    for (index, number) in (0..).zip([10u32, 20, 30, 40]) {
        record[44 + index * 4..48 + index * 4].copy_from_slice(&number.to_ne_bytes());
    }
    // The numbers end where the text begins.
    record[60..67].copy_from_slice(b"located");
    record
}

fn fired(source: &str) -> String {
    let mut script = Script::new(source);
    script.fire(0, &record());
    script.output()
}

#[test]
fn fields_have_their_width_and_sign() {
    assert_eq!(
        fired("tracepoint:test:record { print((args.small, args.narrow, args.wide, args->small)); }"),
        "(200, -5, 18446744073709551615, 200)\n"
    );
    // Its type says so, whatever the kernel says of arguments of system calls.
    assert_eq!(fired("tracepoint:test:record { print(args.moved); print(args.moved < 0); }"), "-1\ntrue\n");
}

#[test]
fn arrays_of_characters_are_strings() {
    assert_eq!(
        fired(r#"tracepoint:test:record { printf("%s|%s\n", args.name, args.text); @[args.name] = count(); }"#),
        "worker|located\n@[worker]: 1\n"
    );
}

#[test]
fn arrays_have_elements() {
    assert_eq!(fired("tracepoint:test:record { print(args.numbers[2]); print(args.numbers); }"), "30\n[10,20,30,40]\n");
}

#[test]
fn all_fields_together_are_a_record() {
    let all = "{ .small = 200, .narrow = -5, .wide = 18446744073709551615, .moved = -1, .name = worker, .text = located, .numbers = [10,20,30,40] }";
    assert_eq!(
        fired("tracepoint:test:record { print(args); $a = args; print($a.numbers[1]); @ = args; }"),
        format!("{all}\n20\n@: {all}\n")
    );
}

#[test]
fn an_element_of_a_record_is_found_by_a_number_known_late() {
    assert_eq!(
        fired(
            "tracepoint:test:record { $i = 3; print(args.numbers[$i]); $i = 1; print((args.numbers[$i], args.name[$i])); }"
        ),
        "40\n(20, 111)\n"
    );
}

#[test]
fn a_field_compares_with_text() {
    assert_eq!(fired(r#"tracepoint:test:record /args.name == "worker"/ { print(args.text == "located"); }"#), "true\n");
}

/// Runs a probe whose first argument points to these bytes.
fn pointed(source: &str, bytes: &[u8]) -> String {
    let mut script = Script::new(source);
    let address = script.machine.add(bytes.to_vec());
    script.fire(0, &address.to_ne_bytes());
    script.output()
}

#[test]
fn a_string_is_read_to_its_end() {
    assert_eq!(
        pointed(r#"rawtracepoint:record { printf("%s|\n", str(arg0)); @[str(arg0)] = 1; }"#, b"/etc/passwd\0rest"),
        "/etc/passwd|\n@[/etc/passwd]: 1\n"
    );
}

#[test]
fn a_string_is_cut_to_the_length_asked_for() {
    assert_eq!(pointed(r#"rawtracepoint:record { printf("%s|\n", str(arg0, 4)); }"#, b"/etc/passwd\0"), "/et|\n");
}

#[test]
fn a_string_that_was_cut_by_max_strlen_has_no_end() {
    let cut = r#"config = { max_strlen = 8 } rawtracepoint:record { @ = str(arg0); }"#;
    let mut script = Script::new(cut);
    let address = script.machine.add(b"/etc/passwd\0".to_vec());
    script.fire(0, &address.to_ne_bytes());
    let size = script.compiled.schema.maps[0].kind.clone();
    assert_eq!(size, report::schema::ValueKind::Value(report::schema::Type::Str { size: 7 }));
    assert_eq!(script.output(), "@: /etc/pa..\n");
}

#[test]
fn pointers_to_integers_are_followed() {
    let bytes: Vec<u8> = [7u32, 8, 9].iter().flat_map(|n| n.to_ne_bytes()).collect();
    assert_eq!(
        pointed("rawtracepoint:record { $p = (uint32 *)arg0; print(*$p); print($p[1]); print(*($p + 2)); }", &bytes),
        "7\n8\n9\n"
    );
}

#[test]
fn what_cannot_be_read_reads_as_zero() {
    let mut script = Script::new(r#"rawtracepoint:record { print(*(uint32 *)arg0); printf("%s|\n", str(arg0)); }"#);
    script.fire(0, &8u64.to_ne_bytes());
    assert_eq!(script.output(), "0\n|\n");
}

#[test]
fn large_keys_lie_in_working_memory() {
    let source = r#"rawtracepoint:record { @[str(arg0, 400), pid] = count(); $s = str(arg0); @v = $s; print($s == str(arg0)); }"#;
    assert_eq!(pointed(source, b"somewhere\0"), "true\n@[somewhere, 42]: 1\n@v: somewhere\n");
}

#[test]
fn system_calls_have_their_arguments_in_the_saved_registers() {
    let mut script = Script::new("tracepoint:raw_syscalls:sys_enter { print(args.id); print(args.args[1]); }");
    let mut registers = vec![0u8; 168];
    registers[104..112].copy_from_slice(&77u64.to_ne_bytes());
    let address = script.machine.add(registers);
    let context: Vec<u8> = [address, 257].iter().flat_map(|word| word.to_ne_bytes()).collect();
    script.fire(0, &context);
    assert_eq!(script.output(), "257\n77\n");
}

#[test]
fn structs_of_the_script_are_read_member_by_member() {
    let definition = "enum color { RED = 3, BLUE }; struct inner { char name[8]; uint8_t flags : 3, rest : 5; }; \
                      struct outer { int id; struct inner in; struct outer *next; enum color color; };";
    let mut bytes = vec![0u8; 40];
    bytes[0..4].copy_from_slice(&7i32.to_ne_bytes());
    bytes[4..9].copy_from_slice(b"inner");
    bytes[12] = 5 | 9 << 3;
    bytes[24..28].copy_from_slice(&4u32.to_ne_bytes());
    let source = format!(
        "{definition} rawtracepoint:record {{ $o = (struct outer *)arg0; print(($o->id, $o.in.name, $o->in.flags, $o->in.rest)); \
         print($o->color == BLUE); print($o->next == 0); print(sizeof(struct outer)); print(offsetof(struct outer, in.name)); }}"
    );
    assert_eq!(pointed(&source, &bytes), "(7, inner, 5, 9)\ntrue\ntrue\n32\n4\n");
}

#[test]
fn characters_need_no_nul_behind_them() {
    let source = r#"struct f { char s[5]; char t[8]; char after; }; rawtracepoint:record {
        $f = (struct f *)arg0; $s = $f->s; @t[$f.t] = 1;
        print((strlen($s), strlen($f.t), $s == "hello", $f.t == "12345678", $f.t == "1234567"));
        print(strlen(str_concat($f.s, $f.t))); print(str_concat($f.s, $f.t) == "hello12345678");
        $w = *$f; print($w.t == "12345678"); $l = $w.s; $l = "much longer"; $l = $f.s; print($l);
        for ($i : 0..2) { print(@t[$f.t]); } clear(@t); }"#;
    assert_eq!(pointed(source, b"hello12345678!"), "(5, 8, true, true, false)\n13\ntrue\ntrue\nhello\n1\n1\n");
}

#[test]
fn what_a_pointer_leads_to_has_an_address() {
    let source = "struct f { int a; int b; }; rawtracepoint:record { $f = (struct f *)arg0; $p = &$f->b; print(*$p); print((uint64)$p - arg0); }";
    assert_eq!(pointed(source, &[1, 0, 0, 0, 2, 0, 0, 0]), "2\n4\n");
}

#[test]
fn a_list_is_followed_from_node_to_node() {
    let source = "struct node { struct node *next; int value; }; \
                  rawtracepoint:record { $n = (struct node *)arg0; print($n->next->next->value); }";
    let mut script = Script::new(source);
    let mut next = 0u64;
    for value in [30u64, 20, 10] {
        next = script.machine.add([next.to_ne_bytes(), value.to_ne_bytes()].concat());
    }
    script.fire(0, &next.to_ne_bytes());
    assert_eq!(script.output(), "30\n");
}
