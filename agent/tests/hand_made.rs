//! Programs put together by hand go through loading, attaching, events and reading, in the real kernel.
//!
//! Says `SKIP` and why where this process may not trace.

use std::time::{Duration, Instant};

use agent::preflight;
use agent::session::{Output, Polled, Session, SessionOptions, StopReason};
use bpf::helper::Helper;
use bpf::insn::{Imm64, Insn, Reg};
use bpf::map::MapType;
use bpf::opcode::{Alu, Jump, Size};
use bpf::program::ProgramType;
use lang::compiled::{Attach, Compiled, MapDef, MapRole, Program, Relocation, SampleRate, Settings};
use lang::config::MissingProbes;
use lang::ir::MapRef;
use lang::span::Span;
use report::schema::{EventKind, EventSchema, MapId, MapSchema, Schema, ValueKind};
use report::snapshot::{Cell, Key};

const R0: Reg = Reg(0);
const R1: Reg = Reg(1);
const R2: Reg = Reg(2);
const R3: Reg = Reg(3);
const FRAME: Reg = Reg(10);

/// The event that ends the session.
const EXIT: u32 = 0;

macro_rules! need_tracing {
    () => {
        let missing = preflight::missing();
        if !missing.is_empty() {
            let list: Vec<String> = missing.iter().map(ToString::to_string).collect();
            println!("SKIP: {}", list.join("; "));
            return;
        }
    };
}

/// `@ = count()`: adds one to the only element of map 0.
fn count() -> Program {
    let [low, high] = Insn::load_imm64(R1, Imm64::Value(0));
    let insns = vec![
        Insn::store(Size::B4, FRAME, -4, 0),
        low,
        high,
        Insn::mov(R2, FRAME),
        Insn::alu64(Alu::Add, R2, -4),
        Insn::call(Helper::MapLookupElem),
        Insn::jump_if(Jump::Eq, R0, 0, 4),
        Insn::load(Size::B8, R1, R0, 0),
        Insn::alu64(Alu::Add, R1, 1),
        Insn::store(Size::B8, R0, 0, R1),
        Insn::store(Size::B8, R0, 8, 1),
        Insn::mov(R0, 0),
        Insn::exit(),
    ];
    let spans = vec![Span::new(3, 7); insns.len()];
    Program {
        name: "count".to_owned(),
        kind: ProgramType::RawTracepoint,
        expected: None,
        insns,
        relocations: vec![Relocation { insn: 1, map: MapRef(0), value_offset: None }],
        spans,
        functions: vec![0],
        attach: vec![Attach::RawTracepoint { event: "sys_enter".to_owned() }],
    }
}

/// `exit(code)`: leaves an event in map 1.
fn exit(code: i32, attach: Attach) -> Program {
    let [low, high] = Insn::load_imm64(R1, Imm64::Value(0));
    let insns = vec![
        low,
        high,
        Insn::mov(R2, 16),
        Insn::mov(R3, 0),
        Insn::call(Helper::RingbufReserve),
        Insn::jump_if(Jump::Eq, R0, 0, 5),
        Insn::store(Size::B8, R0, 0, EXIT as i32),
        Insn::store(Size::B8, R0, 8, code),
        Insn::mov(R1, R0),
        Insn::mov(R2, 0),
        Insn::call(Helper::RingbufSubmit),
        Insn::mov(R0, 0),
        Insn::exit(),
    ];
    let spans = vec![Span::new(0, 1); insns.len()];
    let kind = match attach {
        Attach::Begin | Attach::End | Attach::RawTracepoint { .. } => ProgramType::RawTracepoint,
        Attach::Tracepoint { .. } => ProgramType::Tracepoint,
        _ => ProgramType::PerfEvent,
    };
    Program {
        name: "exit".to_owned(),
        kind,
        expected: None,
        insns,
        relocations: vec![Relocation { insn: 0, map: MapRef(1), value_offset: None }],
        spans,
        functions: vec![0],
        attach: vec![attach],
    }
}

fn map(name: &str, kind: MapType, value_size: u32, max_entries: u32, role: MapRole) -> MapDef {
    let key_size = if kind == MapType::RingBuf { 0 } else { 4 };
    MapDef {
        name: name.to_owned(),
        kind,
        key_size,
        value_size,
        max_entries,
        flags: 0,
        role,
        inner_value_size: None,
        contents: vec![],
    }
}

fn compiled(programs: Vec<Program>) -> Compiled {
    let count = MapSchema {
        name: "@".to_owned(),
        key: vec![],
        kind: ValueKind::Count,
        key_size: 4,
        value_size: 16,
        per_cpu: true,
    };
    Compiled {
        programs,
        maps: vec![
            map("count", MapType::PercpuArray, 16, 1, MapRole::User(MapId(0))),
            map("events", MapType::RingBuf, 0, 1 << 16, MapRole::Events),
        ],
        schema: Schema {
            maps: vec![count],
            events: vec![EventSchema { kind: EventKind::Exit { code_offset: 8 }, size: 16 }],
        },
        warnings: vec![],
        settings: Settings {
            print_maps_on_exit: true,
            max_cat_bytes: 10240,
            cut_text_bytes: 1023,
            str_trunc_trailer: "..".to_owned(),
            missing_probes: MissingProbes::Error,
        },
    }
}

/// Polls until the session ends, or fails after ten seconds.
fn to_its_end(session: &mut Session, printed: &mut Vec<Output>) -> StopReason {
    let patience = Instant::now() + Duration::from_secs(10);
    while Instant::now() < patience {
        if let Polled::Ended(reason) = session.poll(Duration::from_millis(100), None, printed).expect("polling") {
            return reason;
        }
    }
    panic!("the session did not end");
}

#[test]
fn a_counter_counts_system_calls_and_is_read_back() {
    need_tracing!();
    let session = Session::start(compiled(vec![count()]), SessionOptions::default()).expect("starting");
    assert_eq!(session.attached_probes(), 1);
    for _ in 0..1000 {
        // A system call that no library answers by itself.
        std::fs::metadata("/").expect("a root directory");
    }
    let running = session.snapshot().expect("a snapshot");
    let left = session.finish(&mut Vec::new()).expect("an end");
    let counted = |snapshot: &report::snapshot::Snapshot| match snapshot.maps["@"].rows[&Key::default()] {
        Cell::Count(count) => count,
        ref other => panic!("not a count: {other:?}"),
    };
    assert!(counted(&running) >= 1000, "{running:?}");
    assert!(counted(&left.snapshot) >= counted(&running));
    assert_eq!(left.reason, StopReason::Requested);
}

#[test]
fn nothing_counts_after_the_end() {
    need_tracing!();
    let programs = || vec![count(), exit(0, Attach::Begin)];
    let mut printed = Vec::new();
    let mut session = Session::start(compiled(programs()), SessionOptions::default()).expect("starting");
    assert_eq!(to_its_end(&mut session, &mut printed), StopReason::Exit(0));
    let at_the_end = session.snapshot().expect("a snapshot");
    for _ in 0..100 {
        std::fs::metadata("/").expect("a root directory");
    }
    assert_eq!(session.snapshot().expect("a snapshot"), at_the_end);
}

#[test]
fn begin_alone_ends_by_itself_with_its_exit_code() {
    need_tracing!();
    let mut printed = Vec::new();
    let mut session =
        Session::start(compiled(vec![exit(7, Attach::Begin)]), SessionOptions::default()).expect("starting");
    assert_eq!(to_its_end(&mut session, &mut printed), StopReason::Exit(7));
    assert!(printed.is_empty(), "{printed:?}");
}

#[test]
fn a_clock_on_one_cpu_fires() {
    need_tracing!();
    let interval = exit(1, Attach::Interval { nanoseconds: 20_000_000 });
    let mut session = Session::start(compiled(vec![interval]), SessionOptions::default()).expect("starting");
    assert_eq!(to_its_end(&mut session, &mut Vec::new()), StopReason::Exit(1));
}

#[test]
fn a_clock_on_every_cpu_fires() {
    need_tracing!();
    let profile = exit(2, Attach::Profile(SampleRate::Hertz(99)));
    let mut session = Session::start(compiled(vec![profile]), SessionOptions::default()).expect("starting");
    // The clock of a sleeping CPU may be asleep too.
    let spin = std::thread::spawn(|| {
        let end = Instant::now() + Duration::from_secs(1);
        while Instant::now() < end {}
    });
    assert_eq!(to_its_end(&mut session, &mut Vec::new()), StopReason::Exit(2));
    spin.join().expect("spinning");
}

#[test]
fn a_tracepoint_through_perf_fires() {
    need_tracing!();
    let switch = exit(3, Attach::Tracepoint { category: "sched".to_owned(), event: "sched_switch".to_owned() });
    let mut session = Session::start(compiled(vec![switch]), SessionOptions::default()).expect("starting");
    assert_eq!(to_its_end(&mut session, &mut Vec::new()), StopReason::Exit(3));
}

#[test]
fn the_time_box_ends_a_session() {
    need_tracing!();
    let start = Instant::now();
    let options = SessionOptions { deadline: Some(start + Duration::from_millis(200)), ..SessionOptions::default() };
    let mut session = Session::start(compiled(vec![count()]), options).expect("starting");
    assert_eq!(to_its_end(&mut session, &mut Vec::new()), StopReason::Deadline);
    assert!(start.elapsed() >= Duration::from_millis(200));
}

#[test]
fn another_thread_ends_a_session() {
    need_tracing!();
    let mut session = Session::start(compiled(vec![count()]), SessionOptions::default()).expect("starting");
    let stop = session.stop_handle();
    let other = std::thread::spawn(move || stop.stop());
    assert_eq!(to_its_end(&mut session, &mut Vec::new()), StopReason::Requested);
    other.join().expect("stopping");
}

#[test]
fn a_refused_program_is_traced_back_to_its_line() {
    need_tracing!();
    let mut bad = count();
    // A call leaves nothing to read in this register.
    bad.insns[7] = Insn::load(Size::B8, R1, R3, 0);
    let source = "t {count}";
    let error = match Session::start(compiled(vec![bad]), SessionOptions::default()) {
        Err(error) => error.render("script.bt", source),
        Ok(_) => panic!("the verifier took a program that reads what it never wrote"),
    };
    assert!(error.contains("script.bt:1:4-8: ERROR"), "{error}");
    assert!(error.contains("R3 !read_ok"), "{error}");
}

#[test]
fn an_unknown_tracepoint_is_named() {
    need_tracing!();
    let missing = exit(0, Attach::Tracepoint { category: "sched".to_owned(), event: "nothing".to_owned() });
    let error = match Session::start(compiled(vec![missing]), SessionOptions::default()) {
        Err(error) => error.render("script.bt", ""),
        Ok(_) => panic!("attached to a tracepoint that does not exist"),
    };
    assert_eq!(error, "ERROR: Unable to attach probe: tracepoint:sched:nothing: no such tracepoint\n");
}

#[test]
fn a_session_that_is_dropped_leaves_no_program() {
    need_tracing!();
    let named = || {
        let loaded = aya::programs::loaded_programs().flatten();
        loaded.filter(|program| program.name_as_str() == Some("dropped")).count()
    };
    let points = ["sched_switch", "sched_waking", "sched_wakeup"].map(|event| {
        let mut program = exit(0, Attach::Tracepoint { category: "sched".to_owned(), event: event.to_owned() });
        program.name = "dropped".to_owned();
        program
    });
    let session = Session::start(compiled(points.into()), SessionOptions::default()).expect("starting");
    assert_eq!(named(), 3);
    drop(session);
    // The kernel frees programs a moment after the last descriptor is closed.
    let patience = Instant::now() + Duration::from_secs(5);
    while named() > 0 && Instant::now() < patience {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(named(), 0);
}

#[test]
fn sessions_move_between_threads() {
    fn moves<T: Send>() {}
    moves::<Session>();
}
