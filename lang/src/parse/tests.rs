//! What the parser makes of right and of wrong scripts.

use super::*;
use crate::ast::{ExprKind, StmtKind, TypeOrExpr};

fn script(text: &str) -> Script {
    match parse(text) {
        Ok(script) => script,
        Err(diagnostics) => panic!("{text}: {diagnostics:#?}"),
    }
}

fn statements(body: &str) -> Vec<StmtKind> {
    let script = script(&format!("BEGIN {{ {body} }}"));
    script.probes.into_iter().flat_map(|probe| probe.body.stmts).map(|statement| statement.node).collect()
}

fn value(text: &str) -> ExprKind {
    match statements(&format!("$r = {text};")).pop() {
        Some(StmtKind::Assign { value, .. }) => value.node,
        other => panic!("{text}: {other:?}"),
    }
}

/// Codes and the text they underline.
fn findings(text: &str) -> Vec<(&'static str, String)> {
    let Err(diagnostics) = parse(text) else { return vec![] };
    diagnostics.iter().map(|d| (d.code, text.get(d.span.range()).unwrap_or("?").to_owned())).collect()
}

fn points(text: &str) -> Vec<(Option<String>, String, Vec<String>)> {
    script(&format!("{text} {{ }}"))
        .probes
        .into_iter()
        .flat_map(|probe| probe.attach_points)
        .map(|point| {
            let parts = point.parts.into_iter().map(|part| part.node).collect();
            (point.name.map(|name| name.node), point.provider.node, parts)
        })
        .collect()
}

fn point(text: &str) -> (String, Vec<String>) {
    let (_, provider, parts) = points(text).into_iter().next().unwrap_or_default();
    (provider, parts)
}

fn parts(list: &[&str]) -> Vec<String> {
    list.iter().map(|part| (*part).to_owned()).collect()
}

#[test]
fn attach_points_are_split_at_colons() {
    assert_eq!(point("BEGIN"), ("BEGIN".into(), vec![]));
    assert_eq!(point("tracepoint:sched:sched*"), ("tracepoint".into(), parts(&["sched", "sched*"])));
    assert_eq!(point("interval:1s"), ("interval".into(), parts(&["1s"])));
    assert_eq!(point("profile:hz:99"), ("profile".into(), parts(&["hz", "99"])));
    assert_eq!(point("kprobe:f+0x10"), ("kprobe".into(), parts(&["f+0x10"])));
    assert_eq!(point("watchpoint:0x1000:8:rw"), ("watchpoint".into(), parts(&["0x1000", "8", "rw"])));
}

#[test]
fn paths_and_wildcards_in_attach_points_are_no_comments() {
    assert_eq!(point("uprobe:/bin/bash:readline"), ("uprobe".into(), parts(&["/bin/bash", "readline"])));
    assert_eq!(point("uprobe:/bin/*:main"), ("uprobe".into(), parts(&["/bin/*", "main"])));
    assert_eq!(point("uprobe:/a//b:f"), ("uprobe".into(), parts(&["/a//b", "f"])));
    assert_eq!(point("uprobe:lib/x.so:f"), ("uprobe".into(), parts(&["lib/x.so", "f"])));
    assert_eq!(point("iter:task:/sys/fs/bpf/x"), ("iter".into(), parts(&["task", "/sys/fs/bpf/x"])));
    assert_eq!(point("kprobe:vfs_* /* all of them */"), ("kprobe".into(), parts(&["vfs_*"])));
}

#[test]
fn quotes_protect_anything_in_an_attach_point() {
    assert_eq!(point(r#"kprobe:"f.constprop.*""#), ("kprobe".into(), parts(&["f.constprop.*"])));
    assert_eq!(point(r#"uprobe:/x:cpp:"f(int, char)""#), ("uprobe".into(), parts(&["/x", "cpp", "f(int, char)"])));
}

#[test]
fn a_probe_may_have_a_name() {
    assert_eq!(points("reads=kprobe:vfs_read"), [(Some("reads".into()), "kprobe".into(), parts(&["vfs_read"]))]);
}

#[test]
fn several_attach_points_share_a_body() {
    assert_eq!(points("kprobe:a,\nkprobe:b , END").len(), 3);
    assert_eq!(points("kprobe:a,").len(), 1);
}

#[test]
fn a_predicate_may_follow_without_a_blank_and_may_divide() {
    for text in ["BEGIN/pid == 1/{}", "kprobe:f/pid/{}", "kprobe:f* /pid / 2 == 1/ {}", "kprobe:f /(1 / 2)/\n{ }"] {
        assert!(script(text).probes[0].predicate.is_some(), "{text}");
    }
    assert!(script("kprobe:f // comment /\n{ }").probes[0].predicate.is_none());
}

#[test]
fn operators_bind_as_in_c() {
    for (text, same) in [
        ("1 + 2 * 3", "1 + (2 * 3)"),
        ("1 - 2 - 3", "(1 - 2) - 3"),
        ("1 | 2 ^ 3 & 4", "1 | (2 ^ (3 & 4))"),
        ("1 || 2 && 3", "1 || (2 && 3)"),
        ("1 == 2 < 3", "1 == (2 < 3)"),
        ("1 << 2 + 3", "1 << (2 + 3)"),
        ("-1 + 2", "(-1) + 2"),
        ("1 ? 2 : 3 ? 4 : 5", "1 ? 2 : (3 ? 4 : 5)"),
        ("!$a.b", "!($a.b)"),
        ("*$a[1]", "*($a[1])"),
    ] {
        let plain = crate::print::print(&script(&format!("BEGIN {{ $r = {text}; }}")));
        let grouped = crate::print::print(&script(&format!("BEGIN {{ $r = {same}; }}")));
        assert_eq!(plain, grouped, "{text}");
    }
}

#[test]
fn casts_are_told_from_groups() {
    for text in [
        "(uint64)$x",
        "(struct foo *)arg0",
        "(uint8)-1",
        "(my_type)$x",
        "(a*)-1",
        "(int32*[4])$x",
        "(unsigned long)arg0",
        "(typeof($y))$x",
        "(enum e)1",
    ] {
        assert!(matches!(value(text), ExprKind::Cast { .. }), "{text}");
    }
    for text in ["(pid) - 1", "(nsecs) * 2", "(foo) & 3", "(arg0) - arg1", "($x) - 1", "(foo)"] {
        assert!(!matches!(value(text), ExprKind::Cast { .. }), "{text}");
    }
}

#[test]
fn parentheses_make_tuples_and_records() {
    assert!(matches!(value("(1, 2)"), ExprKind::Tuple(items) if items.len() == 2));
    assert!(matches!(value("(1,)"), ExprKind::Tuple(items) if items.len() == 1));
    assert!(matches!(value("()"), ExprKind::Tuple(items) if items.is_empty()));
    assert!(matches!(value("(a = 1, b = \"x\")"), ExprKind::Record(fields) if fields.len() == 2));
    assert!(matches!(value("(a == 1)"), ExprKind::Binary { .. }));
}

#[test]
fn keys_are_one_list_and_further_brackets_index() {
    assert!(matches!(value("@x[1, 2]"), ExprKind::MapAccess { key, .. } if key.len() == 2));
    assert!(matches!(value("@[(1, 2)]"), ExprKind::MapAccess { key, .. } if key.len() == 1));
    assert!(
        matches!(value("@x[1][2]"), ExprKind::Index { base, .. } if matches!(base.node, ExprKind::MapAccess { .. }))
    );
}

#[test]
fn sizeof_takes_types_and_expressions() {
    for text in ["sizeof(struct foo)", "sizeof(uint64)", "sizeof(foo*)", "sizeof(unsigned int)", "sizeof(typeof($x))"] {
        assert!(matches!(value(text), ExprKind::Sizeof(TypeOrExpr::Type(_))), "{text}");
    }
    for text in ["sizeof($x)", "sizeof(foo)", "sizeof(foo * 2)", "sizeof(comm)", "sizeof((struct foo *)arg0)"] {
        assert!(matches!(value(text), ExprKind::Sizeof(TypeOrExpr::Expr(_))), "{text}");
    }
    assert!(matches!(value("offsetof(struct foo, a.b)"), ExprKind::Offsetof { path, .. } if path.len() == 2));
}

#[test]
fn an_if_is_a_value_where_one_is_wanted() {
    assert!(matches!(value("if $x { 1 } else { 2 }"), ExprKind::If { .. }));
    assert!(matches!(value("{ let $a = 1; $a }"), ExprKind::Block(block) if block.value.is_some()));
    let macros = script("macro f(x) { if x { 1 } else { 2 } } macro g() { if (1) { exit(); } }").macros;
    assert!(macros[0].body.value.is_some());
    assert!(macros[1].body.value.is_none());
}

#[test]
fn the_last_expression_of_a_probe_is_a_statement() {
    assert!(matches!(statements("exit()").as_slice(), [StmtKind::Expr(_)]));
    assert!(matches!(statements("if (1) { exit() }").as_slice(), [StmtKind::If { then, .. }] if then.value.is_none()));
}

#[test]
fn loops_run_over_maps_and_ranges_with_or_without_parentheses() {
    for text in ["for ($kv : @m) { }", "for $kv : @m { }"] {
        assert!(matches!(statements(text).as_slice(), [StmtKind::ForMap { .. }]), "{text}");
    }
    for text in
        ["for ($i : 0..10) { }", "for $i : $a .. ncpus { }", "for ($i : 0..($n + 1)) { break; continue; return; }"]
    {
        assert!(matches!(statements(text).as_slice(), [StmtKind::ForRange { .. }]), "{text}");
    }
    assert!(matches!(statements("while ($i < 5) { $i++ } unroll(3) { @++; }").len(), 2));
}

#[test]
fn conditions_may_start_with_a_parenthesis_and_go_on() {
    assert!(matches!(
        statements("if (1) || (2) { }").as_slice(),
        [StmtKind::If { condition, .. }] if matches!(condition.node, ExprKind::Binary { .. })
    ));
}

#[test]
fn defines_stand_for_expressions_and_types() {
    assert!(matches!(
        script("#define N 5\nBEGIN { $x = N; }").probes[0].body.stmts[0].node,
        StmtKind::Assign { value: crate::ast::Expr { node: ExprKind::Int { value: 5, .. }, span }, .. }
            if span == Span::new(25, 26)
    ));
    let text = "#define SUM 1 + \\ \t\r\n 2\nBEGIN { $x = SUM; }";
    let printed = crate::print::print(&script(text));
    assert!(printed.ends_with(&crate::print::print(&script("BEGIN { $x = 1 + 2; }"))), "{printed}");
    let text = "#define ADD(a, b) ((a) + (b))\n#define TWO ADD(1, 1) // two\nBEGIN { $x = ADD(TWO, $y); }";
    let same = "BEGIN { $x = (1 + 1) + $y; }";
    let printed = crate::print::print(&script(text));
    assert!(printed.ends_with(&crate::print::print(&script(same))), "{printed}");
    assert!(matches!(
        &script("#define T struct foo\nBEGIN { $x = (T *)1; }").probes[0].body.stmts[0].node,
        StmtKind::Assign { value, .. } if matches!(value.node, ExprKind::Cast { .. })
    ));
    assert!(matches!(
        &script("#define N 5\nBEGIN { $x = (N) - 1; }").probes[0].body.stmts[0].node,
        StmtKind::Assign { value, .. } if matches!(value.node, ExprKind::Binary { .. })
    ));
}

#[test]
fn conditionals_choose_what_is_read_and_leave_places_true() {
    let text = "#ifndef BPFTRACE_HAVE_BTF\nnonsense (\n#else\n#define A 1\n#endif\nBEGIN { print(A); }";
    let script = script(text);
    assert_eq!(text.get(script.probes[0].span.range()), Some("BEGIN { print(A); }"));
    for (condition, taken) in [
        ("#if defined(BPFTRACE_HAVE_BTF) && 2 > 1", true),
        ("#if !defined BPFTRACE_HAVE_BTF || NOTHING", false),
        ("#if 0", false),
        ("#ifdef BPFTRACE_HAVE_BTF", true),
    ] {
        let probes = self::script(&format!("{condition}\nBEGIN {{ }}\n#elif 1\nEND {{ }} END {{ }}\n#endif")).probes;
        assert_eq!(probes.len(), if taken { 1 } else { 2 }, "{condition}");
    }
}

#[test]
fn lines_that_start_with_a_hash_are_comments_unless_they_direct() {
    let text = "#!/usr/bin/env bpftrace\n# a comment\nBEGIN\n{\n  # define the map\n  # 定义map\n  @x = 1;\n}\n/*\n# in a comment\n*/";
    assert_eq!(script(text).probes.len(), 1);
    assert_eq!(script("# define A 1\nBEGIN { print(A); }").preamble.len(), 1);
}

#[test]
fn definitions_are_kept_as_text() {
    let script = script(
        "struct a { int x; };\nunion u { int y; }\nenum e { A, B = 2 };\nstruct p { char c; } __attribute__((packed));\nstruct fwd;\nBEGIN { }",
    );
    assert_eq!(script.preamble.len(), 5);
    assert_eq!(script.probes.len(), 1);
}

#[test]
fn config_imports_maps_and_macros_stand_at_the_top() {
    let script = script(
        "config = { max_map_keys = 64; stack_mode = perf; license = \"GPL\" }\nimport \"x.bt\";\nlet @a = lruhash(100);\nmacro m($a, @b, c) { c }\nBEGIN { }",
    );
    assert_eq!(script.config.len(), 3);
    assert_eq!(script.map_decls.len(), 1);
    assert_eq!(script.macros[0].params.len(), 3);
}

#[test]
fn every_fault_is_found_in_one_run() {
    let text = "BEGIN { @x = ; $y = 1 $z = 2; print(\"a\\q\"); }\nEND { 09; let 5; }\nkprobe:f { ok(); }";
    assert_eq!(
        findings(text),
        [
            ("E0106", ";".to_owned()),
            ("E0107", "$z".to_owned()),
            ("E0102", "\\q".to_owned()),
            ("E0103", "09".to_owned()),
            ("E0106", "5".to_owned()),
        ]
    );
}

#[test]
fn what_is_open_at_the_end_is_said() {
    assert_eq!(findings("BEGIN { print(1); ")[0].0, "E0108");
    assert_eq!(findings("BEGIN { print(1; }")[0].0, "E0108");
    assert_eq!(findings("BEGIN { } /* x")[0].0, "E0104");
    assert_eq!(findings("BEGIN { print(\"x); }")[0].0, "E0102");
    assert_eq!(findings("#ifdef A\nBEGIN { }")[0].0, "E0111");
}

#[test]
fn misplaced_and_repeated_parts_are_told() {
    assert_eq!(findings("BEGIN { } config = { a = 1 }"), [("E0116", "config".to_owned())]);
    assert_eq!(findings("config = { } config = { }"), [("E0114", "config".to_owned())]);
    assert_eq!(findings("BEGIN { $a.b = 1; }"), [("E0109", "$a.b".to_owned())]);
    assert_eq!(findings("BEGIN { 5++; }"), [("E0113", "5".to_owned())]);
    assert_eq!(findings("BEGIN { $x = (a = 1, a = 2); }"), [("E0114", "a".to_owned())]);
    assert_eq!(findings("fn f($x: int8): int8 { } BEGIN { }"), [("E0118", "fn".to_owned())]);
    assert_eq!(findings("BEGIN { print($0); }"), [("E0115", "$0".to_owned())]);
}

#[test]
fn an_empty_script_has_no_probes() {
    assert_eq!(script("  // nothing\n"), Script::default());
}

#[test]
fn nesting_is_bounded_and_never_overflows_the_stack() {
    let deep = 100_000;
    for text in [
        format!("BEGIN {{ $x = {}1{}; }}", "(".repeat(deep), ")".repeat(deep)),
        format!("BEGIN {{ $x = {}1; }}", "!".repeat(deep)),
        format!("BEGIN {{ $x = 1{}; }}", " + 1".repeat(deep)),
        format!("BEGIN {{ $x = $y{}; }}", ".a".repeat(deep)),
        format!("BEGIN {}{}", "{".repeat(deep), "}".repeat(deep)),
        format!("BEGIN {{ {} {{ }} }}", "if 1 { } else ".repeat(deep)),
        format!("BEGIN {{ $x = {}1; }}", "1 ? ".repeat(deep)),
        format!("BEGIN {{ $x = {}1; }}", "@a[".repeat(deep)),
        format!("BEGIN {{ $x = {}1; }}", "(a = ".repeat(deep)),
        format!("BEGIN {{ $x = {}1; }}", "sizeof(typeof(".repeat(deep)),
        format!("BEGIN {{ $x = {}1; }}", "if (".repeat(deep)),
        format!("BEGIN {{ let $x: {}int; }}", "(".repeat(deep)),
        format!("#if {}1\n#endif\nBEGIN {{ }}", "(".repeat(deep)),
    ] {
        assert!(!findings(&text).is_empty(), "{}", &text[..40]);
    }
}

#[test]
fn defines_that_multiply_are_bounded() {
    let mut text = String::from("#define A0 1\n");
    for i in 1..64 {
        text.push_str(&format!("#define A{i} A{} + A{}\n", i - 1, i - 1));
    }
    text.push_str("#if A30\n#endif\nBEGIN { $x = A63; }");
    let codes: Vec<&str> = findings(&text).into_iter().map(|(code, _)| code).collect();
    assert_eq!(codes, ["E0111", "E0112"]);
}

#[test]
fn a_missing_semicolon_belongs_after_a_whole_character() {
    let text = "BEGIN { é $x = 1; @a ü $y = 2; }";
    let found = parse(text).unwrap_err();
    let places: Vec<_> = found.iter().flat_map(|d| d.related.iter().map(|(span, _)| text.get(span.range()))).collect();
    assert!(places.iter().all(Option::is_some), "{found:#?}");
}

#[test]
fn truth_values_are_no_types() {
    let ExprKind::Sizeof(TypeOrExpr::Expr(of)) = value("sizeof(false[1])") else { panic!("no size of a value") };
    assert!(matches!(of.node, ExprKind::Index { .. }));
}
