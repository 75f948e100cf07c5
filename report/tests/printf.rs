//! Format strings, as bpftrace prints them.

use report::Value;
use report::printf::{Format, FormatErrorKind, Takes};

fn printed(format: &str, args: &[Value]) -> String {
    Format::parse(format).expect("a good format").render(args).to_string()
}

fn int(format: &str, n: i64) -> String {
    printed(format, &[Value::Int(n)])
}

#[test]
fn text_and_conversions_alternate() {
    let args = [Value::Int(1), "a".into(), Value::Uint(2), "ab".into()];
    assert_eq!(printed("%dst: %sa; %dnd: %sb;;\n", &args), "1st: aa; 2nd: abb;;\n");
}

#[test]
fn a_length_says_how_many_bits_count() {
    let n = Value::Uint(0x12_3456_78ab_cdef);
    let args = [n.clone(), n.clone(), n.clone(), n.clone(), n];
    assert_eq!(printed("%hhx %hx %x %jx %llx", &args), "ef cdef 78abcdef 12345678abcdef 12345678abcdef");
    assert_eq!(printed("%d %lu", &[Value::Int(-2), Value::Int(-2)]), "-2 18446744073709551614");
    assert_eq!(int("%hhd", 200), "-56");
    assert_eq!(int("%hhu", -1), "255");
}

#[test]
fn width_and_flags_are_those_of_c() {
    assert_eq!(printed("%5s %04x", &["ba".into(), Value::Int(2)]), "   ba 0002");
    assert_eq!(printed("%-5s|%5s", &["ab".into(), "c".into()]), "ab   |    c");
    assert_eq!(int("%5d|", 42), "   42|");
    assert_eq!(int("%-5d|", 42), "42   |");
    assert_eq!(int("%-05d|", 42), "42   |");
    assert_eq!(int("%+d", 42), "+42");
    assert_eq!(int("% d", 42), " 42");
    assert_eq!(int("%#x %%", 255), "0xff %");
    assert_eq!(int("%#X", 255), "0XFF");
    assert_eq!(int("%#o", 8), "010");
    assert_eq!(int("%#x", 0), "0");
    assert_eq!(int("%#010x", 255), "0x000000ff");
    assert_eq!(int("%.4d", 7), "0007");
    assert_eq!(int("%6.4d", -7), " -0007");
    assert_eq!(printed("%.2s|%4.1s|", &["abc".into(), "xyz".into()]), "ab|   x|");
}

#[test]
fn zeros_go_before_the_sign() {
    assert_eq!(int("%05d", -5), "000-5");
    assert_eq!(int("%05d", 5), "00005");
}

#[test]
fn characters_and_addresses() {
    assert_eq!(printed("%c%c", &[Value::Int(0x41), Value::Uint(0x42)]), "AB");
    assert_eq!(printed("%p", &[Value::Pointer(0xffff_8000_dead_beef)]), "0xffff8000deadbeef");
    assert_eq!(int("%p", 255), "0xff");
    assert_eq!(int("%p", 0), "0");
}

#[test]
fn a_string_conversion_shows_any_value() {
    let one = Value::Enum { value: 1, name: Some("ONE".to_owned()) };
    assert_eq!(printed("%d %s", &[one.clone(), one]), "1 ONE");
    assert_eq!(printed("%s %d", &[Value::Bool(true), Value::Bool(true)]), "true 1");
    assert_eq!(printed("%s", &[Value::Tuple(vec![1i64.into(), "x".into()])]), "(1, x)");
    assert_eq!(printed("%s|", &[Value::Stack(vec!["f+1".to_owned()].into())]), "\n        f+1\n|");
}

#[test]
fn buffers_print_in_three_ways() {
    let buffer = Value::Buf(b"a\n\xff~".to_vec());
    let args = [buffer.clone(), buffer.clone(), buffer];
    assert_eq!(printed("%r %rx %rh", &args), "a\\x0a\\xff~ \\x61\\x0a\\xff\\x7e 61 0a ff 7e");
}

#[test]
fn raw_bytes_pass_unchanged() {
    let args = [Value::Str(vec![0xff, b'a'].into())];
    assert_eq!(Format::parse("<%s>").expect("a good format").render(&args).as_bytes(), b"<\xffa>");
}

#[test]
fn a_percent_sign_that_begins_nothing_stays() {
    assert_eq!(printed("100%", &[]), "100%");
    assert_eq!(printed("5% \n%%", &[]), "5% \n%");
    assert_eq!(printed("%y é% €", &[]), "%y é% €");
}

#[test]
fn an_argument_that_does_not_fit_says_so_in_place() {
    assert_eq!(printed("<%d>", &["x".into()]), "<!{invalid integer conversion: x}>");
    assert_eq!(printed("<%d>", &[]), "<!{missing argument}>");
}

#[test]
fn conversions_know_their_place_and_their_arguments() {
    let format = Format::parse("é%5llu-%rh%s").expect("a good format");
    let specs: Vec<_> = format.specs().map(|spec| (spec.span.clone(), spec.conversion.takes())).collect();
    assert_eq!(specs, [(2..7, Takes::Number), (8..11, Takes::Buffer), (11..13, Takes::Anything)]);
}

#[test]
fn what_cannot_be_printed_is_refused_with_its_place() {
    let refused = |format: &str| Format::parse(format).expect_err("refused");
    assert_eq!(refused("ab%5.2f").to_string(), "unsupported format specifier: f");
    assert_eq!(refused("ab%5.2f").span, 2..7);
    assert_eq!(refused("%*d").kind, FormatErrorKind::Star);
    assert_eq!(refused("%.*s").kind, FormatErrorKind::Star);
    assert_eq!(refused("%99999999999d").kind, FormatErrorKind::TooWide);
    assert_eq!(refused("%n").kind, FormatErrorKind::Unsupported("n".to_owned()));
}

proptest::proptest! {
    #[test]
    fn no_format_panics(format in "[%a-z0-9.*#+ é-]{0,12}", n: i64) {
        if let Ok(format) = Format::parse(&format) {
            let _ = format.render(&[Value::Int(n), "x".into()]);
        }
    }
}
