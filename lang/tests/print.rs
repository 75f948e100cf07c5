//! What is printed reads back as the same tree, and a formatted script stays as it is.
//!
//! Trees are compared by their debug text without places.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "the installed tools are read where there are any"
)]

use std::path::{Path, PathBuf};

use lang::ast::*;
use lang::print::{format, print};
use lang::span::{Span, Spanned};
use proptest::prelude::*;

const CORPUS: &[&str] = &[
    "BEGIN { printf(\"hello %d\\n\", 1 + 2 * 3); }",
    "tracepoint:syscalls:sys_enter_open,\ntracepoint:syscalls:sys_enter_openat /comm == \"a/b\"/ { @[str(args.filename), pid] = count(); }",
    "kprobe:vfs_read { @start[tid] = nsecs; } kretprobe:vfs_read /@start[tid]/ { @ns[comm] = hist(nsecs - @start[tid]); delete(@start[tid]); }",
    "config = { max_map_keys = 64; stack_mode = perf; license = \"GPL\" }\nimport \"x.bt\";\nlet @a = lruhash(100);\nmacro m($a, @b, c) { @b += $a; c }\nBEGIN { m($x, @y, { 1 }); }",
    "struct foo { int x; char c[4]; } __attribute__((packed));\n#define N 5\nBEGIN { $f = (struct foo *)arg0; print($f->x + N); print(sizeof(struct foo *)); print(offsetof(struct foo, x)); }",
    "BEGIN { if ($a == 1) { exit() } else if $b { $c = 2; } else { $d = $e ? 1 : $f ?: 2; } while ($i < 5) { $i++ } unroll (3) { @++; } }",
    "BEGIN { for ($kv : @m) { print($kv.0.1); continue; } for ($i : 0..ncpus) { if ($i > 3) { break; } } return; }",
    "BEGIN { let $x: uint64 = if $a { 1 } else if $b { 2 } else { 3 }; let $y; _ = has_key(@a, (1, \"x\")); $z = (a = 1, b = (2,)); }",
    "iter:task:list { print((-(-$x), !!$y, ~$z, *$p, &@m, - --$q, (uint8)-1, (foo *)-1, (foo)(*$x), (@x)[1])); }",
    "name=uprobe:/bin/*:\"f(int, char)\" { print(1e6, 5s, 0xff, 1_000, 10ull); }",
    "up\"2){ i\" { } re\"a=b\\n\"be:x { } uretprobe:/bin\"/:f(int)\" { }",
    "BEGIN / ($a / 2) == 1 / { print(1 - (2 - 3), (1, 2), $1, $#); { { $a = 1; } } }",
];

/// The tree as text without places.
fn shape(script: &Script) -> String {
    let text = std::format!("{script:?}");
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once("Span { start: ") {
        out.push_str(before);
        rest = after.split_once('}').map_or("", |(_, after)| after);
    }
    out + rest
}

fn read(text: &str) -> Script {
    lang::parse(text).unwrap_or_else(|diagnostics| panic!("{text}\n{diagnostics:#?}"))
}

fn assert_reads_back(script: &Script) {
    let printed = print(script);
    let again = read(&printed);
    assert_eq!(shape(&again), shape(script), "{printed}");
    assert_eq!(print(&again), printed);
}

fn assert_stays_formatted(text: &str) {
    let once = format(text).unwrap_or_else(|diagnostics| panic!("{text}\n{diagnostics:#?}"));
    let twice = format(&once).unwrap_or_else(|diagnostics| panic!("{once}\n{diagnostics:#?}"));
    assert_eq!(twice, once, "from\n{text}");
    assert_eq!(shape(&read(&once)), shape(&read(text)), "{once}");
}

#[test]
fn every_construct_reads_back_and_stays_formatted() {
    for text in CORPUS {
        assert_reads_back(&read(text));
        assert_stays_formatted(text);
    }
}

#[test]
fn a_comment_does_not_go_on_over_a_backslash() {
    for text in ["#if 1\n# \\\n\n# more\n#endif\nBEGIN { }", "#ifdef B\n#define C\n# \\\n#endif\n# x\nBEGIN { }"] {
        assert_stays_formatted(text);
    }
    // Nor do blanks behind the backslash of a directive change what it joins.
    assert_stays_formatted("#define A 1 \\\r\t\t\n + 2\nBEGIN { print(A); }");
}

#[test]
fn directives_inside_of_a_definition_stay() {
    let text = "struct foo {\n#ifdef A\n  int a;\n#endif\n  int b;\n};\n\nBEGIN { print(sizeof(struct foo)); }";
    assert_stays_formatted(text);
    assert!(format(text).is_ok_and(|formatted| formatted.contains("#ifdef A\n  int a;\n#endif\n")));
}

#[test]
fn installed_tools_read_back_and_stay_formatted() {
    let mut found = 0;
    for folder in ["/usr/sbin", "/usr/share/bpftrace/tools"] {
        for tool in tools(Path::new(folder)) {
            let text = std::fs::read_to_string(&tool).expect("an installed tool can be read");
            assert_reads_back(&read(&text));
            assert_stays_formatted(&text);
            found += 1;
        }
    }
    if found == 0 {
        eprintln!("SKIP: no bpftrace tools are installed (apt install bpftrace)");
    }
}

fn tools(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return vec![] };
    let mut tools: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    tools.retain(|path| path.extension().is_some_and(|extension| extension == "bt"));
    tools.sort();
    tools
}

#[test]
fn comments_directives_and_blank_lines_keep_their_places() {
    let text = "\
#!/usr/bin/env bpftrace
/*
 * A tool.
 */
#ifndef BPFTRACE_HAVE_BTF
#include <linux/fs.h>
struct left { out };
#endif
#define N 5

// Counts.
kprobe:a, // the first
kprobe:b
/pid == N/
{
\t@x = N; // behind

\t# on its own


\t@y[1,2]=count( /* inside */ );
\t// last
}
BEGIN{}
// end
";
    let formatted = "\
#!/usr/bin/env bpftrace
/*
 * A tool.
 */
#ifndef BPFTRACE_HAVE_BTF
#include <linux/fs.h>
struct left { out };
#endif
#define N 5

// Counts.
// the first
kprobe:a,
kprobe:b
/pid == N/ {
  @x = N; // behind

  # on its own

  /* inside */
  @y[1, 2] = count();
  // last
}

BEGIN { }
// end
";
    assert_eq!(format(text).expect("the script is right"), formatted);
    assert_stays_formatted(text);
}

#[test]
fn a_wrong_script_is_not_rearranged() {
    assert!(format("BEGIN { @x = ; }").is_err());
}

fn at<T>(node: T) -> Spanned<T> {
    Spanned { node, span: Span::default() }
}

fn name() -> impl Strategy<Value = String> {
    "[a-z]{1,3}x"
        .prop_filter("`ctx` is a value, which no type is called by", |name| lang::builtin::find(name).is_none())
}

fn type_name() -> impl Strategy<Value = TypeName> {
    let base = prop_oneof![
        Just(TypeBase::Name("uint64".into())),
        Just(TypeBase::Name("unsigned long".into())),
        name().prop_map(TypeBase::Name),
        name().prop_map(TypeBase::Struct),
        name().prop_map(TypeBase::Enum),
    ];
    let array = prop_oneof![Just(None), (1u64..9).prop_map(|n| Some(int(n)))];
    (base, 0u8..3, prop::collection::vec(array, 0..2)).prop_map(|(base, pointers, arrays)| TypeName {
        base,
        pointers,
        arrays,
        span: Span::default(),
    })
}

fn int(value: u64) -> Expr {
    at(ExprKind::Int { value, text: value.to_string() })
}

fn target() -> impl Strategy<Value = Expr> {
    prop_oneof![
        name().prop_map(|name| at(ExprKind::Variable(std::format!("${name}")))),
        name().prop_map(|name| at(ExprKind::Map(std::format!("@{name}")))),
        (name(), 0u64..9)
            .prop_map(|(name, key)| at(ExprKind::MapAccess { name: at(std::format!("@{name}")), key: vec![int(key)] })),
    ]
}

fn leaf() -> impl Strategy<Value = Expr> {
    prop_oneof![
        any::<u64>().prop_map(int),
        "[ -~é\n\t\\\\\"]{0,6}".prop_map(|text| at(ExprKind::Str(text))),
        any::<bool>().prop_map(|value| at(ExprKind::Bool(value))),
        name().prop_map(|name| at(ExprKind::Ident(name))),
        Just(at(ExprKind::Ident("pid".into()))),
        (1u32..9).prop_map(|number| at(ExprKind::Positional(number))),
        Just(at(ExprKind::PositionalCount)),
        target(),
    ]
}

fn block(value: impl Strategy<Value = Expr>) -> impl Strategy<Value = Block> {
    (prop::collection::vec((target(), leaf()), 0..2), value).prop_map(|(assignments, value)| Block {
        stmts: assignments
            .into_iter()
            .map(|(target, value)| at(StmtKind::Assign { target, op: None, value }))
            .collect(),
        value: Some(Box::new(value)),
        span: Span::default(),
    })
}

fn expr() -> impl Strategy<Value = Expr> {
    leaf().prop_recursive(5, 40, 3, |inner| {
        let inner = inner.boxed();
        prop_oneof![operators(inner.clone()), accesses(inner.clone()), collections(inner.clone()), blocks(inner)]
            .prop_map(at)
    })
}

fn boxed(inner: &BoxedStrategy<Expr>) -> impl Strategy<Value = Box<Expr>> + use<> {
    inner.clone().prop_map(Box::new)
}

fn operators(inner: BoxedStrategy<Expr>) -> impl Strategy<Value = ExprKind> {
    use BinaryOp::*;
    let binary = vec![Or, And, BitOr, BitXor, BitAnd, Eq, Ne, Lt, Le, Gt, Ge, Shl, Shr, Add, Sub, Mul, Div, Mod];
    let unary =
        vec![UnaryOp::Neg, UnaryOp::Not, UnaryOp::BitNot, UnaryOp::Deref, UnaryOp::AddressOf, UnaryOp::Comptime];
    let step = vec![StepOp::PreIncrement, StepOp::PostIncrement, StepOp::PreDecrement, StepOp::PostDecrement];
    prop_oneof![
        4 => (prop::sample::select(binary), boxed(&inner), boxed(&inner))
            .prop_map(|(op, left, right)| ExprKind::Binary { op, left, right }),
        2 => (prop::sample::select(unary), boxed(&inner)).prop_map(|(op, operand)| ExprKind::Unary { op, operand }),
        1 => (prop::sample::select(step), target().prop_map(Box::new))
            .prop_map(|(op, target)| ExprKind::Step { op, target }),
        1 => (boxed(&inner), prop::option::of(boxed(&inner)), boxed(&inner))
            .prop_map(|(condition, then, otherwise)| ExprKind::Ternary { condition, then, otherwise }),
        2 => (type_name(), boxed(&inner)).prop_map(|(ty, operand)| ExprKind::Cast { ty, operand }),
    ]
}

fn accesses(inner: BoxedStrategy<Expr>) -> impl Strategy<Value = ExprKind> {
    let ty = type_name().prop_filter("an unknown bare name is an expression", |ty| {
        !matches!(ty.base, TypeBase::Name(_)) || ty.pointers > 0 || !ty.arrays.is_empty()
    });
    let operand = prop_oneof![boxed(&inner).prop_map(TypeOrExpr::Expr), ty.prop_map(TypeOrExpr::Type)];
    prop_oneof![
        (boxed(&inner), name(), any::<bool>()).prop_map(|(base, field, arrow)| ExprKind::Field {
            base,
            field: at(field),
            arrow
        }),
        (boxed(&inner), 0u64..9).prop_map(|(base, n)| ExprKind::Field { base, field: at(n.to_string()), arrow: false }),
        (boxed(&inner), boxed(&inner)).prop_map(|(base, index)| ExprKind::Index { base, index }),
        operand.prop_map(ExprKind::Sizeof),
    ]
}

fn collections(inner: BoxedStrategy<Expr>) -> impl Strategy<Value = ExprKind> {
    let list = |least| prop::collection::vec(inner.clone(), least..3);
    prop_oneof![
        list(0).prop_map(ExprKind::Tuple),
        (name(), inner.clone()).prop_map(|(name, value)| ExprKind::Record(vec![(at(name), value)])),
        (name(), list(0)).prop_map(|(name, args)| ExprKind::Call { name: at(name), args }),
        (name(), list(1)).prop_map(|(name, key)| ExprKind::MapAccess { name: at(std::format!("@{name}")), key }),
    ]
}

fn blocks(inner: BoxedStrategy<Expr>) -> impl Strategy<Value = ExprKind> {
    prop_oneof![
        block(inner.clone()).prop_map(ExprKind::Block),
        (boxed(&inner), block(inner.clone()), prop::option::of(block(inner)))
            .prop_map(|(condition, then, otherwise)| ExprKind::If { condition, then, otherwise }),
    ]
}

fn script() -> impl Strategy<Value = Script> {
    let op = prop::option::of(prop::sample::select(vec![BinaryOp::Add, BinaryOp::Shl, BinaryOp::BitXor]));
    (prop::option::of(expr()), expr(), target(), op, expr()).prop_map(|(predicate, effect, target, op, value)| {
        let call = at(ExprKind::Call { name: at("print".to_owned()), args: vec![effect] });
        let body = Block {
            stmts: vec![at(StmtKind::Expr(call)), at(StmtKind::Assign { target, op, value })],
            ..Block::default()
        };
        let point = AttachPoint { name: None, provider: at("BEGIN".into()), parts: vec![], span: Span::default() };
        let probe = Probe { attach_points: vec![point], predicate, body, span: Span::default() };
        Script { probes: vec![probe], ..Script::default() }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_tree_reads_back(script in script()) {
        assert_reads_back(&script);
    }

    #[test]
    fn any_part_of_an_attach_point_reads_back(part in "[ -~]{1,12}") {
        let mut script = read("uprobe:x:y { }");
        script.probes[0].attach_points[0].parts[1].node = part;
        assert_reads_back(&script);
    }

    #[test]
    fn any_text_is_read_without_a_panic(text in "\\PC{0,80}") {
        let _ = lang::parse(&text);
        let _ = format(&text);
    }

    #[test]
    fn any_mixture_of_words_is_read_without_a_panic(
        words in prop::collection::vec(prop::sample::select(WORDS.to_vec()), 0..40)
    ) {
        let text = words.concat();
        let _ = lang::parse(&text);
        if lang::parse(&text).is_ok() && format(&text).is_ok() {
            assert_stays_formatted(&text);
        }
    }
}

#[rustfmt::skip]
const WORDS: &[&str] = &[
    "BEGIN", " ", "\n", "{", "}", "(", ")", "[", "]", ";", ",", "/", "//", "/*", "*/", "*", "&", "-", "--", "+", "++", "=", "==",
    "if", "else", "for", "let", "$x", "@", "@m", "1", "\"", "\\", "#", "\n#if 1\n", "\n#else\n", "\n#endif\n",
    "\n#define A 1\n", "A", "struct", "sizeof", "typeof", "(int)", "kprobe:", ":", ".", "..", "->", "?", "macro", "config", "x",
];

#[test]
fn a_comment_between_a_probe_and_its_body_is_kept() {
    for text in
        ["BEGIN // why\n{ }\n", "BEGIN// why\n{ }\n", "BEGIN { }\n\nEND /* why */ { }\n", "BEGIN { }END// why\n{ }"]
    {
        let once = format(text).unwrap();
        assert!(once.contains("why"), "{text:?} -> {once:?}");
        assert_eq!(format(&once).unwrap(), once);
    }
}

#[test]
fn what_follows_a_backslash_keeps_the_next_line_apart() {
    for text in ["#define N 5 \\ \n \nBEGIN { }\n", "#define N 5 \\\n\nBEGIN { }\n", "#define N 5 \\\\\n\nBEGIN { }\n"]
    {
        let once = format(text).unwrap();
        assert_eq!(lang::parse(&once).unwrap().probes.len(), 1, "{once}");
        assert_eq!(format(&once).unwrap(), once);
    }
}

#[test]
fn a_probe_that_begins_like_an_import_stays_a_probe() {
    let once = format("BEGIN { }\nimport~ { }\n").unwrap();
    assert_eq!(format(&once).unwrap(), once);
}

#[test]
fn a_parameter_that_starts_an_attach_point_stays_one() {
    for text in ["$1 { }\n", "$1:a { }\n", "$1*\u{19} { }\n"] {
        let script = lang::parse(text).unwrap();
        let printed = lang::print::print(&script);
        assert!(printed.starts_with("$1"), "{printed}");
        assert_eq!(
            lang::parse(&printed).unwrap().probes[0].attach_points[0].provider.node,
            script.probes[0].attach_points[0].provider.node
        );
    }
}
