//! Map bytes and ring buffer records, as the kernel would hand them over.

use report::bound::mass;
use report::decode::{DecodeError, decode_map, decode_value};
use report::event::{Event, HelperError, decode_event};
use report::schema::{
    EventKind, EventSchema, Field, MapId, MapSchema, Part, PrintfTo, Schema, StackMapId, StackMode, StackType, Type,
    ValueKind,
};
use report::symbols::NoSymbols;
use report::{Cell, Key, MapData, Stack, Value, text};

const LONG: Type = Type::Int { bytes: 8, signed: true };

fn words(words: &[i64]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_ne_bytes()).collect()
}

fn field(ty: Type, offset: u32) -> Field {
    Field { ty, offset }
}

/// A map whose key is one 64-bit integer, per CPU but for plain values.
fn keyed(kind: ValueKind, value_size: u32) -> MapSchema {
    let per_cpu = !matches!(kind, ValueKind::Value(_));
    MapSchema { name: "@".to_owned(), key: vec![field(LONG, 0)], kind, key_size: 8, value_size, per_cpu }
}

/// A map without a key: the presence word comes on top.
fn scalar(kind: ValueKind, payload: u32) -> MapSchema {
    MapSchema { key: Vec::new(), key_size: 4, ..keyed(kind, payload + 8) }
}

fn decoded(schema: &MapSchema, rows: &[(&[u8], &[u8])]) -> MapData {
    decode_map(schema, rows.iter().copied(), &NoSymbols).expect("decodes")
}

/// The only cell of a keyed map whose CPUs hold these words.
fn reduced(kind: ValueKind, cpus: &[&[i64]]) -> Cell {
    let size = cpus.first().map_or(0, |cpu| cpu.len() * 8);
    let schema = keyed(kind, u32::try_from(size).expect("small"));
    let map = decoded(&schema, &[(&words(&[1]), &words(&cpus.concat()))]);
    map.rows.into_values().next().expect("one row")
}

fn shown(schema: &MapSchema, cell: &Cell) -> String {
    text::cell(&(&schema.kind).into(), cell, None)
}

fn value(ty: Type, bytes: &[u8]) -> Value {
    decode_value(&ty, bytes, &NoSymbols).expect("decodes")
}

#[test]
fn integers_keep_their_width_and_sign() {
    let int = |bytes, signed| Type::Int { bytes, signed };
    assert_eq!(value(int(1, true), &[0xff]), Value::Int(-1));
    assert_eq!(value(int(1, false), &[0xff]), Value::Uint(255));
    assert_eq!(value(int(2, true), &(-2i16).to_ne_bytes()), Value::Int(-2));
    assert_eq!(value(int(4, false), &u32::MAX.to_ne_bytes()), Value::Uint(u64::from(u32::MAX)));
    assert_eq!(value(int(8, false), &u64::MAX.to_ne_bytes()), Value::Uint(u64::MAX));
    assert_eq!(decode_value(&int(3, true), &[0; 8], &NoSymbols), Err(DecodeError::Width(3)));
}

#[test]
fn a_string_without_its_nul_was_cut_off() {
    assert_eq!(value(Type::Str { size: 8 }, b"cat\0junk"), "cat".into());
    assert_eq!(value(Type::Str { size: 4 }, b"longer"), "long..".into());
}

#[test]
fn bytes_that_end_early_are_an_error() {
    let short = decode_value(&Type::Str { size: 8 }, b"cat\0", &NoSymbols);
    assert_eq!(short, Err(DecodeError::Short { needed: 8, got: 4 }));
}

#[test]
fn addresses_and_buffers_carry_their_own_length() {
    let mut buffer = 2u32.to_ne_bytes().to_vec();
    buffer.extend(b"abcdefgh");
    assert_eq!(value(Type::Buf { capacity: 8 }, &buffer), Value::Buf(b"ab".to_vec()));
    let mut inet = 2u32.to_ne_bytes().to_vec();
    inet.extend([127, 0, 0, 1, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9]);
    assert_eq!(text::value(&value(Type::Inet, &inet)), "127.0.0.1");
    inet[..4].copy_from_slice(&10u32.to_ne_bytes());
    inet[4..].copy_from_slice(&[0; 16]);
    inet[19] = 1;
    assert_eq!(text::value(&value(Type::Inet, &inet)), "::1");
    assert_eq!(text::value(&value(Type::Mac, &[0, 1, 0xab, 0xff, 9, 16])), "00:01:AB:FF:09:10");
}

#[test]
fn composites_follow_their_offsets() {
    let tuple = Type::Tuple(vec![field(Type::Bool, 0), field(Type::Int { bytes: 4, signed: false }, 4)]);
    let array = Type::Array { element: Box::new(tuple), len: 2 };
    let bytes = [1, 9, 9, 9, 7, 0, 0, 0, 0, 9, 9, 9, 8, 0, 0, 0];
    let little = if cfg!(target_endian = "little") {
        "[(true, 7),(false, 8)]"
    } else {
        "[(true, 117440512),(false, 134217728)]"
    };
    assert_eq!(text::value(&value(array, &bytes)), little);
    let record = Type::Record(vec![("m".to_owned(), field(Type::Bool, 1)), ("n".to_owned(), field(Type::Bool, 0))]);
    assert_eq!(text::value(&value(record, &[0, 1])), "{ .m = true, .n = false }");
}

#[test]
fn a_negative_stack_id_is_an_empty_stack() {
    let stack = StackType { map: StackMapId(0), mode: StackMode::Perf, depth: 127 };
    let empty = Value::Stack(Stack { mode: StackMode::Perf, frames: Vec::new() });
    assert_eq!(value(Type::Kstack(stack.clone()), &words(&[-14])), empty);
    assert_eq!(value(Type::Ustack(stack.clone()), &words(&[-14, 0])), empty);
    assert_eq!(text::value(&value(Type::Kstack(stack), &words(&[0x2a]))), "\n\t0x2a\n");
}

#[test]
fn an_enum_prints_its_name_where_it_has_one() {
    let ty = Type::Enum { bytes: 4, signed: false, variants: vec![(1, "ONE".to_owned())] };
    assert_eq!(text::value(&value(ty.clone(), &1u32.to_ne_bytes())), "ONE");
    assert_eq!(text::value(&value(ty, &2u32.to_ne_bytes())), "2");
}

#[test]
fn counts_and_sums_add_over_cpus() {
    assert_eq!(reduced(ValueKind::Count, &[&[2], &[0], &[5]]), Cell::Count(7));
    assert_eq!(reduced(ValueKind::Sum { signed: true }, &[&[2], &[-5]]), Cell::Sum(-3));
    assert_eq!(reduced(ValueKind::Sum { signed: false }, &[&[2], &[-1]]), Cell::Sum(1));
}

#[test]
fn extremes_ignore_cpus_that_saw_nothing() {
    let min = |signed| ValueKind::Min { signed };
    let max = |signed| ValueKind::Max { signed };
    assert_eq!(reduced(min(true), &[&[0, 0], &[7, 1], &[9, 1]]), Cell::Min(Some(7)));
    assert_eq!(reduced(max(true), &[&[0, 0], &[-7, 1], &[-9, 1]]), Cell::Max(Some(-7)));
    assert_eq!(reduced(max(false), &[&[1, 1], &[-1, 1]]), Cell::Max(Some(i128::from(u64::MAX))));
    assert_eq!(reduced(min(true), &[&[0, 0], &[0, 0]]), Cell::Min(None));
}

#[test]
fn averages_truncate_toward_zero() {
    let kind = ValueKind::Avg { signed: true };
    let cell = reduced(kind.clone(), &[&[-5, 1], &[-2, 2]]);
    assert_eq!(shown(&keyed(kind, 16), &cell), "-2");
    let kind = ValueKind::Stats { signed: true };
    let cell = reduced(kind.clone(), &[&[-5, 1], &[-2, 2]]);
    assert_eq!(shown(&keyed(kind, 16), &cell), "{ .count = 3, .average = -2, .total = -7 }");
}

#[test]
fn histograms_add_bucket_by_bucket_and_keep_the_sum() {
    let kind = ValueKind::Hist { bits: 0, signed: true };
    let Cell::Hist(histogram) = reduced(kind, &[&[9, 0, 1, 0, 2], &[-4, 1, 0, 0, 3]]) else { panic!("a histogram") };
    assert_eq!(histogram.sum, 5);
    assert_eq!(histogram.buckets, [(0, 1), (1, 1), (3, 5)].into());
}

#[test]
fn a_map_without_keys_shows_once_it_is_assigned() {
    let schema = scalar(ValueKind::Count, 8);
    assert!(decoded(&schema, &[(&[0; 4], &words(&[0, 0, 0, 0]))]).rows.is_empty());
    let map = decoded(&schema, &[(&[0; 4], &words(&[3, 1, 9, 0, 4, 1]))]);
    assert_eq!(map.rows, [(Key::default(), Cell::Count(7))].into());
    let plain = scalar(ValueKind::Value(LONG), 8);
    assert_eq!(text::map("@x", &decoded(&plain, &[(&[0; 4], &words(&[-3, 1]))]), None, None), "@x: -3\n");
}

#[test]
fn an_empty_map_without_keys_knows_its_zero() {
    let pair = Type::Tuple(vec![field(LONG, 0), field(Type::Str { size: 8 }, 8)]);
    let record = Type::Record(vec![("a".to_owned(), field(LONG, 0)), ("b".to_owned(), field(pair, 8))]);
    let schema = scalar(ValueKind::Value(record), 24);
    assert_eq!(text::map("@", &decoded(&schema, &[]), None, None), "@: { .a = 0, .b = (0, ) }\n");
    assert_eq!(text::map("@", &decoded(&scalar(ValueKind::Value(LONG), 8), &[]), None, None), "@: 0\n");
}

#[test]
fn rows_whose_keys_turn_out_equal_add_up() {
    let mut schema = keyed(ValueKind::Count, 8);
    schema.key = vec![field(Type::Str { size: 4 }, 0)];
    schema.key_size = 4;
    let map = decoded(&schema, &[(b"a\0xx", &words(&[1])), (b"a\0yy", &words(&[2]))]);
    assert_eq!(map.rows, [(Key::from(["a"]), Cell::Count(3))].into());
}

#[test]
fn a_tuple_as_key_is_the_key_of_its_components() {
    let mut schema = keyed(ValueKind::Count, 8);
    schema.key = vec![field(Type::Tuple(vec![field(LONG, 0), field(LONG, 8)]), 0)];
    let map = decoded(&schema, &[(&words(&[1, 2]), &words(&[5]))]);
    assert_eq!(map.rows.keys().next(), Some(&Key::from([1i64, 2])));
}

#[test]
fn plain_values_per_cpu_are_refused() {
    let schema = MapSchema { per_cpu: true, ..keyed(ValueKind::Value(LONG), 8) };
    let rows = [(words(&[1]), words(&[1, 2]))];
    assert_eq!(decode_map(&schema, rows, &NoSymbols), Err(DecodeError::PerCpuValue("@".to_owned())));
}

fn event(kind: EventKind, payload: &[u8]) -> Result<Event, DecodeError> {
    let mut map = keyed(ValueKind::Count, 8);
    map.name = "@m".to_owned();
    let schema = Schema { maps: vec![map], events: vec![EventSchema { kind, size: 0 }] };
    let record: Vec<u8> = [&[0; 8], payload].concat();
    decode_event(&schema, &record, &NoSymbols)
}

#[test]
fn a_printf_record_becomes_its_text() {
    let args = vec![field(Type::Str { size: 8 }, 8), field(LONG, 16)];
    let kind = EventKind::Printf { to: PrintfTo::Output, format: "%s %ld\n".to_owned(), args };
    let payload = [b"cat\0....".to_vec(), words(&[-3])].concat();
    assert_eq!(event(kind, &payload), Ok(Event::Printf { to: PrintfTo::Output, text: "cat -3\n".into() }));
}

#[test]
fn printing_a_row_keeps_the_key_to_look_it_up() {
    let kind = EventKind::PrintKey { map: MapId(0), key_offset: 8 };
    let expected = Event::PrintKey { map: MapId(0), bytes: words(&[7]), key: Key::from([7i64]) };
    assert_eq!(event(kind, &words(&[7])), Ok(expected));
}

#[test]
fn absent_arguments_of_print_are_none() {
    let kind = |top, div| EventKind::PrintMap { map: MapId(0), top, div };
    assert_eq!(event(kind(0, 0), &[]), Ok(Event::PrintMap { map: MapId(0), top: None, div: None }));
    assert_eq!(event(kind(5, 1000), &[]), Ok(Event::PrintMap { map: MapId(0), top: Some(5), div: Some(1000) }));
}

#[test]
fn joined_arguments_end_at_their_count() {
    let kind = EventKind::Join { delimiter: ",".to_owned(), slots: 4, slot_size: 4 };
    let payload = [&3u32.to_ne_bytes()[..], &[0; 4], b"ls\0\0-l\0\0\0\0\0\0junk"].concat();
    assert_eq!(event(kind, &payload), Ok(Event::Join("ls,-l,".into())));
}

#[test]
fn the_small_actions_decode() {
    assert_eq!(event(EventKind::Exit { code_offset: 8 }, &3i32.to_ne_bytes()), Ok(Event::Exit { code: 3 }));
    assert_eq!(event(EventKind::Clear(MapId(0)), &[]), Ok(Event::Clear(MapId(0))));
    let at = Part { line: 1, column: 2, end: 9 };
    let failed = HelperError { helper: "probe_read".to_owned(), message: "m".to_owned(), code: -14, at };
    let kind = EventKind::HelperError { helper: "probe_read".to_owned(), message: "m".to_owned(), at };
    assert_eq!(event(kind, &(-14i32).to_ne_bytes()), Ok(Event::HelperError(failed)));
}

#[test]
fn a_record_of_nobody_is_an_error() {
    let record = 7u32.to_ne_bytes();
    assert_eq!(decode_event(&Schema::default(), &record, &NoSymbols), Err(DecodeError::UnknownEvent(7)));
    assert!(decode_event(&Schema::default(), &[1], &NoSymbols).is_err());
}

proptest::proptest! {
    #[test]
    fn no_bytes_panic(bytes: Vec<u8>, size in 0u32..40, per_cpu: bool, scalar: bool) {
        let mut schema = keyed(ValueKind::Hist { bits: 0, signed: false }, size);
        schema.per_cpu = per_cpu;
        if scalar {
            schema.key.clear();
        }
        if let Ok(map) = decode_map(&schema, [(&bytes, &bytes)], &NoSymbols) {
            proptest::prop_assert!(map.rows.values().map(mass).sum::<i128>() >= 0);
        }
    }
}
