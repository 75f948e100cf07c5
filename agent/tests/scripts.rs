//! Scripts run on this machine from their text to what they print, against workloads whose counts are known.
//!
//! Says `SKIP` and why where this process may not trace.

use std::fs::{self, File};
use std::io::Read;
use std::net::UdpSocket;
use std::path::Path;
use std::time::Duration;

use agent::preflight;
use agent::run::{Format, RunError, RunOptions, run};
use agent::session::{Output, Session, SessionOptions};

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

/// A script to run.
struct Script {
    options: RunOptions,
}

/// What a script printed, and its exit code.
#[derive(Debug, PartialEq, Eq)]
struct Printed {
    output: String,
    code: i32,
}

impl Script {
    fn new(source: &str) -> Self {
        let options = RunOptions {
            name: "stdin".to_owned(),
            source: source.to_owned(),
            duration: Some(Duration::from_secs(10)),
            quiet: true,
            ..RunOptions::default()
        };
        Self { options }
    }

    fn args(mut self, args: &[&str]) -> Self {
        self.options.compile.args = args.iter().map(ToString::to_string).collect();
        self
    }

    fn json(mut self) -> Self {
        self.options.format = Format::Json;
        self
    }

    fn try_run(mut self) -> Result<Printed, RunError> {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("output");
        self.options.output = Some(path.clone());
        let code = run(&self.options)?;
        Ok(Printed { output: fs::read_to_string(path).expect("the output"), code })
    }

    fn run(self) -> Printed {
        let source = self.options.source.clone();
        self.try_run().unwrap_or_else(|error| panic!("{source}\n{error}"))
    }

    /// Attaches the script, does `work` in this thread, ends the script. `TID` in the script is this thread's id.
    fn watch(self, work: impl FnOnce()) -> String {
        self.try_watch(work).unwrap_or_else(|error| panic!("{error}"))
    }

    /// As [`Script::watch`]; the error is why the script could not be attached.
    fn try_watch(mut self, work: impl FnOnce()) -> Result<String, String> {
        let source = self.options.source.replace("TID", &rustix::thread::gettid().as_raw_nonzero().to_string());
        self.options.source.clone_from(&source);
        let text = |found: Vec<_>| lang::render::terminal("stdin", &source, &found);
        let script = lang::parse(&source).map_err(text).unwrap_or_else(|text| panic!("{text}"));
        let target = agent::target::gather(&lang::needs::needs_with(&script, &self.options.compile)).expect("a target");
        let compiled = lang::compile(&source, &script, &target, &self.options.compile).map_err(text);
        let compiled = compiled.unwrap_or_else(|text| panic!("{text}"));
        let options = SessionOptions { pid: self.options.compile.pid, ..SessionOptions::default() };
        let session = Session::start(compiled, options).map_err(|error| error.render("stdin", &source))?;
        work();
        let mut outputs = Vec::new();
        let left = session.finish(&mut outputs).expect("an end");
        let mut printed = String::new();
        for output in outputs {
            match output {
                Output::Printf { text, .. } => printed.push_str(&text.to_str_lossy()),
                other => panic!("{other:?}"),
            }
        }
        Ok(printed + &report::text::snapshot(&left.snapshot))
    }
}

/// Reads that yield 1, 1, 1, 100, 100 and 3000 bytes, and one that fails.
fn read_known_sizes() {
    let mut zero = File::open("/dev/zero").expect("zeroes");
    for size in [1, 1, 1, 100, 100, 3000] {
        zero.read_exact(&mut vec![0; size]).expect("zeroes");
    }
    File::open("/").expect("a directory").read(&mut [0]).expect_err("directories cannot be read");
}

#[test]
fn hello_world_is_printed_and_ends_by_itself() {
    need_tracing!();
    let printed = Script::new(r#"BEGIN { printf("hello world\n"); }"#).run();
    assert_eq!(printed, Printed { output: "hello world\n\n\n".to_owned(), code: 0 });
}

#[test]
fn an_exit_code_is_the_scripts() {
    need_tracing!();
    assert_eq!(Script::new("BEGIN { exit(3); }").run().code, 3);
}

#[test]
fn opened_files_are_named() {
    need_tracing!();
    for access in ["args.filename", "args->filename"] {
        let source = format!(
            r#"tracepoint:syscalls:sys_enter_openat /tid == TID/ {{ printf("%d %s\n", pid, str({access})); exit(); }}"#
        );
        let printed = Script::new(&source).watch(|| {
            let _ = File::open("/nowhere/at/all");
        });
        assert_eq!(printed, format!("{} /nowhere/at/all\n\n\n", std::process::id()));
    }
}

#[test]
fn loops_of_calls_are_loaded_and_run() {
    need_tracing!();
    let printed = Script::new(
        r#"BEGIN {
            @map[16] = 32; @map[64] = 128; @long["a"] = count();
            for ($kv : @map) { @sum = sum($kv.0 + $kv.1); delete(@map, $kv.0); }
            for ($kv : @long) { for ($i : 0..$kv.1 + 2) { if ($i == 1) { continue; } printf("%s %d\n", $kv.0, $i); } }
            $x = 0; while ($x < 5000) { $x++; if ($x == 4000) { break; } }
            for ($i : 0..300) { for ($j : 0..300) { @all = count(); if ($j == 200) { break; } } }
            printf("%d\n", $x); clear(@long);
            for ($i : 0..$x) { return; }
            printf("never\n");
        }"#,
    )
    .run();
    assert_eq!(printed.output, "a 0\na 2\n4000\n\n\n@all: 60300\n@sum: 240\n");
}

#[test]
fn read_sizes_fall_into_their_buckets() {
    need_tracing!();
    let printed = Script::new("tracepoint:syscalls:sys_exit_read /tid == TID/ { @bytes = hist(args.ret); }")
        .watch(read_known_sizes);
    let expected = "\n\n@bytes:\n\
        (..., 0)               1 |@@@@@@@@@@@@@@@@@                                   |\n\
        [0]                    0 |                                                    |\n\
        [1]                    3 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|\n\
        [2, 4)                 0 |                                                    |\n\
        [4, 8)                 0 |                                                    |\n\
        [8, 16)                0 |                                                    |\n\
        [16, 32)               0 |                                                    |\n\
        [32, 64)               0 |                                                    |\n\
        [64, 128)              2 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@                  |\n\
        [128, 256)             0 |                                                    |\n\
        [256, 512)             0 |                                                    |\n\
        [512, 1K)              0 |                                                    |\n\
        [1K, 2K)               0 |                                                    |\n\
        [2K, 4K)               1 |@@@@@@@@@@@@@@@@@                                   |\n\n";
    assert_eq!(printed, expected);
}

#[test]
fn every_aggregation_of_read_sizes_is_exact() {
    need_tracing!();
    let source = "tracepoint:syscalls:sys_exit_read /tid == TID && args.ret > 0/ {
        @sum = sum(args.ret); @avg = avg(args.ret); @min = min(args.ret); @max = max(args.ret);
        @stats = stats(args.ret); @count[args.ret] = count(); @lin = lhist(args.ret, 0, 200, 100);
    }";
    let printed = Script::new(source).watch(read_known_sizes);
    let expected = "\n\n@avg: 533\n\
        @count[3000]: 1\n@count[100]: 2\n@count[1]: 3\n\
        @lin:\n\
        [0, 100)               3 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|\n\
        [100, 200)             2 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@                  |\n\
        [200, ...)             1 |@@@@@@@@@@@@@@@@@                                   |\n\n\
        @max: 3000\n@min: 1\n\
        @stats: { .count = 6, .average = 533, .total = 3203 }\n@sum: 3203\n";
    assert_eq!(printed, expected);
}

#[test]
fn maps_are_cleared_zeroed_and_deleted_from() {
    need_tracing!();
    let source = r#"BEGIN {
        @a[1] = 10; @a[2] = 20; @a[3] = 30; delete(@a, 2);
        @b["x", 1] = count(); clear(@b);
        @c = count(); zero(@c);
        @d[7] = sum(5); zero(@d);
        print((1, "two", 3));
    } END { printf("end\n"); }"#;
    let printed = Script::new(source).run();
    assert_eq!(printed.output, "(1, two, 3)\nend\n\n\n@a[1]: 10\n@a[3]: 30\n@c: 0\n@d[7]: 0\n");
}

#[test]
fn the_largest_rows_are_printed_last_and_scaled() {
    need_tracing!();
    let source = "BEGIN { @[1] = 500; @[2] = 100; @[3] = 900; print(@, 2, 100); } END { clear(@); }";
    assert_eq!(Script::new(source).run().output, "@[1]: 5\n@[3]: 9\n\n\n");
}

#[test]
fn arithmetic_conditions_and_arguments_work_together() {
    need_tracing!();
    let source = r#"BEGIN {
        $n = $1 * 2 + 1;
        if ($n % 2 == 1 && $n > 5) { printf("%s %d\n", str($2), $n); } else { printf("no\n"); }
        printf("%s\n", $n > 100 ? "large" : "small");
    }"#;
    assert_eq!(Script::new(source).args(&["42", "odd"]).run().output, "odd 85\nsmall\n\n\n");
}

#[test]
fn an_interval_counts_until_it_exits() {
    need_tracing!();
    let source = r#"interval:ms:20 { @n++; if (@n == 3) { printf("three\n"); exit(); } }"#;
    let printed = Script::new(source).run();
    assert!(printed.output.starts_with("three\n\n\n@n: "), "{}", printed.output);
}

#[test]
fn every_scheduler_event_is_counted_by_its_name() {
    need_tracing!();
    let source = "tracepoint:sched:sched* { @[probe] = count(); } interval:ms:300 { exit(); }";
    let printed = Script::new(source).run();
    assert!(printed.output.contains("@[tracepoint:sched:sched_switch]: "), "{}", printed.output);
    assert!(printed.output.contains("@[tracepoint:sched:sched_waking]: "), "{}", printed.output);
}

#[test]
fn system_calls_are_counted_by_their_tracepoints() {
    need_tracing!();
    let source =
        "tracepoint:syscalls:sys_enter_mk*,tracepoint:syscalls:sys_enter_unlink* /tid == TID/ { @[probe] = count(); }";
    let printed = Script::new(source).watch(|| {
        for _ in 0..3 {
            // Fails in the kernel: there is no such directory.
            let _ = rustix::fs::mkdir("/nowhere/at/all", rustix::fs::Mode::RWXU);
        }
        let _ = rustix::fs::rmdir("/nowhere/at/all");
    });
    assert_eq!(
        printed,
        "\n\n@[tracepoint:syscalls:sys_enter_unlinkat]: 1\n@[tracepoint:syscalls:sys_enter_mkdirat]: 3\n"
    );
}

#[test]
fn kernel_stacks_of_a_raw_tracepoint_start_in_the_kernel() {
    need_tracing!();
    let source = "tracepoint:sched:sched_switch { @[kstack] = count(); } interval:ms:300 { exit(); }";
    let printed = Script::new(source).run();
    let innermost: Vec<&str> = printed.output.split("@[\n").skip(1).filter_map(|stack| stack.lines().next()).collect();
    assert!(!innermost.is_empty(), "{}", printed.output);
    assert!(innermost.iter().all(|frame| frame.trim().starts_with("__schedule+")), "{}", printed.output);
}

#[test]
fn samples_have_kernel_and_user_stacks() {
    need_tracing!();
    let source = "profile:hz:499 /tid == TID/ { @[kstack] = count(); @user[ustack] = count(); }";
    let printed = Script::new(source).watch(|| {
        let end = std::time::Instant::now() + Duration::from_secs(1);
        while std::time::Instant::now() < end {
            let _ = fs::metadata("/proc/self/status");
        }
    });
    assert!(printed.contains("entry_SYSCALL_64_after_hwframe+"), "{}", printed);
    assert!(printed.contains("@user[\n"), "{}", printed);
}

#[test]
fn json_lines_say_the_same() {
    need_tracing!();
    let source = r#"BEGIN { printf("hi %d\n", 3); @m["b", 2] = 5; @h = hist(3); @s = stats(-3); time("%%\n"); }"#;
    let printed = Script::new(source).json().run();
    let expected = r#"{"type": "printf", "data": "hi 3\n"}
{"type": "time", "data": "%\n"}
{"type": "hist", "data": {"@h": [{"min": 2, "max": 3, "count": 1}]}}
{"type": "map", "data": {"@m": {"b,2": 5}}}
{"type": "stats", "data": {"@s": {"count": 1, "average": -3, "total": -3}}}
"#;
    assert_eq!(printed.output, expected);
}

#[test]
fn a_wrong_script_is_shown_with_its_place() {
    let error = Script::new("BEGIN { @x = cout(); }").try_run().expect_err("there is no such function").to_string();
    assert!(error.starts_with("stdin:1:14-18: ERROR: unknown function `cout`"), "{error}");
    assert!(error.contains("\nBEGIN { @x = cout(); }\n             ~~~~\n"), "{error}");
    assert!(error.contains("count"), "{error}");
}

#[test]
fn an_unknown_tracepoint_is_an_error_of_the_script() {
    need_tracing!();
    let error = Script::new("tracepoint:sched:sched_swich { @ = count(); }").try_run().expect_err("a misspelt name");
    assert!(matches!(error, RunError::Script(_)), "{error:?}");
}

#[test]
fn wildcards_over_system_calls_tell_them_apart_and_start_and_end_at_once() {
    need_tracing!();
    let started = std::time::Instant::now();
    let printed = Script::new(
        "tracepoint:syscalls:sys_enter_* /tid == TID/ { @[probe] = count(); }
         tracepoint:syscalls:sys_exit_* /tid == TID/ { @ret[probe] = max(args.ret); }",
    )
    .watch(read_known_sizes);
    // Everybody else's programs are ended in parallel here: leave them their time.
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    assert!(printed.contains("@[tracepoint:syscalls:sys_enter_read]: 7\n"), "{printed}");
    assert!(printed.contains("@[tracepoint:syscalls:sys_enter_openat]: 2\n"), "{printed}");
    assert!(printed.contains("@ret[tracepoint:syscalls:sys_exit_read]: 3000\n"), "{printed}");
}

/// Called by the tests about functions of programs; by nobody else.
#[inline(never)]
extern "C" fn watched_sum(first: u64, second: u64) -> u64 {
    std::hint::black_box(first + second)
}

#[inline(never)]
extern "C" fn watched_difference(first: u64, second: u64) -> u64 {
    std::hint::black_box(first - second)
}

fn own_path() -> String {
    std::env::current_exe().expect("this program").display().to_string()
}

fn call_watched() {
    for n in 0..5 {
        watched_sum(n, 10);
    }
    watched_difference(9, 2);
}

/// Whether a row of the map tells of the function, with this value.
fn has_row(printed: &str, map: &str, function: &str, value: u64) -> bool {
    let is_it = |line: &str| line.starts_with(&format!("{map}[")) && line.contains(function);
    printed.lines().any(|line| is_it(line) && line.ends_with(&format!("]: {value}")))
}

#[test]
fn functions_of_a_program_are_counted_by_pattern() {
    need_tracing!();
    let own = own_path();
    let source = format!(
        "uprobe:{own}:*7scripts*watched_* /tid == TID/ {{ @at[probe] = sum(arg0); @by[func] = count(); }}
         uretprobe:{own}:*7scripts*watched_* /tid == TID/ {{ @ret[probe] = sum(retval); }}"
    );
    let printed = Script::new(&source).watch(call_watched);
    for (map, sum, difference) in [("@at", 10, 9), ("@by", 5, 1), ("@ret", 60, 7)] {
        assert!(has_row(&printed, map, "watched_sum", sum), "{printed}");
        assert!(has_row(&printed, map, "watched_difference", difference), "{printed}");
    }
}

#[test]
fn a_process_is_named_for_its_files_and_other_processes_are_left_out() {
    need_tracing!();
    let mut script = Script::new("uprobe:*:*7scripts*watched_sum* { @[pid] = count(); }");
    script.options.compile.pid = Some(std::process::id());
    let printed = script.watch(call_watched);
    assert_eq!(printed, format!("\n\n@[{}]: 5\n", std::process::id()));
}

#[test]
fn programs_of_one_place_run_in_the_order_of_the_script() {
    need_tracing!();
    let own = own_path();
    for (place, times) in [
        (format!("uprobe:{own}:*7scripts*watched_difference*"), 1),
        (format!("uretprobe:{own}:*7scripts*watched_sum*"), 5),
    ] {
        let source =
            format!(r#"{place} /tid == TID/ {{ printf("first "); }} {place} /tid == TID/ {{ printf("second "); }}"#);
        let printed = Script::new(&source).watch(call_watched);
        assert_eq!(printed.trim(), "first second ".repeat(times).trim(), "{place}");
    }
}

#[test]
fn every_task_and_its_files_are_walked_through_once() {
    need_tracing!();
    if !std::path::Path::new("/sys/kernel/btf/vmlinux").exists() {
        println!("SKIP: this kernel does not tell its types");
        return;
    }
    let own = std::process::id();
    let source = format!(
        "iter:task /ctx.task.pid == {own}/ {{ @tasks = count(); @name = ctx.task.comm; }}
         iter:task_file /ctx->task->tgid == {own} && ctx->task->pid == {own}/ {{ @files = max(ctx->fd); }}
         iter:task_vma /ctx.task.pid == {own}/ {{ @maps = max(ctx.vma.vm_end); }}"
    );
    let printed = Script::new(&source).run().output;
    assert!(printed.contains("@tasks: 1\n"), "{printed}");
    assert!(printed.contains("@files: ") && printed.contains("@maps: "), "{printed}");
    assert!(!printed.contains("@files: 0\n") && !printed.contains("@maps: 0\n"), "{printed}");
}

#[test]
fn an_enum_among_the_fields_of_a_tracepoint_has_its_names() {
    need_tracing!();
    let source = r#"tracepoint:skb:kfree_skb /tid == TID/ { $r = args.reason; @[args.reason] = count(); @text = $r; @number = (uint32)$r; }"#;
    let printed = Script::new(source).watch(|| {
        let nobody = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port");
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        socket.send_to(b"lost", nobody).expect("a packet");
    });
    assert!(printed.contains("@[SKB_DROP_REASON_NO_SOCKET]: 1\n"), "{printed}");
    assert!(printed.contains("@text: SKB_DROP_REASON_NO_SOCKET\n") && printed.contains("@number: 3\n"), "{printed}");
}

#[test]
fn a_clock_of_the_kernel_samples_one_process() {
    need_tracing!();
    let mut script = Script::new("software:cpu-clock:1000000 { @[pid] = count(); }");
    script.options.compile.pid = Some(std::process::id());
    let printed = script.watch(|| {
        let started = std::time::Instant::now();
        while started.elapsed() < Duration::from_millis(200) {
            std::hint::black_box(started);
        }
    });
    assert!(printed.contains(&format!("@[{}]: ", std::process::id())), "{printed}");
    assert_eq!(printed.matches('[').count(), 1, "{printed}");
}

#[test]
fn a_watchpoint_sees_each_write() {
    need_tracing!();
    let mut place = Box::new(0u64);
    let address = std::ptr::from_ref(&*place) as u64;
    let mut script = Script::new(&format!("watchpoint:{address:#x}:8:w {{ @ = count(); }}"));
    script.options.compile.pid = Some(std::process::id());
    let compiled = script.try_watch(|| {
        for n in 0..3 {
            std::hint::black_box(&mut *place);
            *place = n;
        }
        std::hint::black_box(&place);
    });
    match compiled {
        Ok(printed) => assert_eq!(printed, "\n\n@: 3\n"),
        // Debug registers are few, and some machines give none to guests.
        Err(error) => println!("SKIP: {error}"),
    }
}

#[test]
fn a_watchpoint_can_be_ended_by_the_script() {
    need_tracing!();
    let mut place = Box::new(0u64);
    let address = std::ptr::from_ref(&*place) as u64;
    let source = format!("watchpoint:{address:#x}:8:w {{ @ = count(); unwatch({address:#x}); }}");
    let mut script = Script::new(&source);
    script.options.compile.pid = Some(std::process::id());
    script.options.duration = Some(Duration::from_secs(2));
    // From before the watchpoint is there to behind its end.
    const WRITES: u64 = 250;
    let writer = std::thread::spawn(move || {
        for n in 0..WRITES {
            std::hint::black_box(&mut *place);
            *place = n;
            std::thread::sleep(Duration::from_millis(10));
        }
    });
    let printed = script.try_run();
    writer.join().expect("the writer ends");
    match printed {
        Ok(printed) => {
            let seen = printed.output.trim().strip_prefix("@: ").and_then(|count| count.parse().ok());
            // The session ends it as soon as it reads of the first.
            assert!(matches!(seen, Some(1..50)), "{}", printed.output);
        }
        Err(error) => println!("SKIP: {error}"),
    }
}

#[test]
fn processes_are_named_by_their_ids_where_the_kernel_lets_a_probe_look() {
    need_tracing!();
    let own = std::process::id();
    let known = format!("iter:task /ctx.task.pid == {own}/ {{ print(kfunc_allowed(\"bpf_task_from_pid\")); }}");
    if Script::new(&known).run().output.trim() != "true" {
        println!("SKIP: this kernel lets iterators look up no process");
        return;
    }
    let name = fs::read_to_string("/proc/self/comm").expect("this process has a name");
    let source = format!("iter:task /ctx.task.pid == {own}/ {{ printf(\"%s|%s\", comm(ctx.task.pid), comm(-7)); }}");
    assert_eq!(Script::new(&source).run().output.trim(), format!("{}|N/A", name.trim_end()));
    let refused = Script::new("begin { print(comm(1)); }").try_run().expect_err("begin looks up no process");
    assert!(refused.to_string().contains("does not let probes of this kind (begin)"), "{refused}");
}

#[test]
fn packets_are_written_to_a_file() {
    need_tracing!();
    if !std::path::Path::new("/sys/kernel/btf/vmlinux").exists() {
        println!("SKIP: this kernel does not tell its types");
        return;
    }
    let directory = tempfile::tempdir().expect("a temporary directory");
    for (index, (before, packet)) in
        [("", "(struct sk_buff *)arg0"), ("$kept = arg0; $skb = (struct sk_buff *)$kept;", "$skb")].iter().enumerate()
    {
        let file = directory.path().join(format!("{index}.pcap"));
        let call = format!("skboutput(\"{}\", {packet}, args.skb.len, 14)", file.display());
        packet_is_written(&format!("rawtracepoint:net_dev_queue {{ {before} @[{call} == 0] = count(); }}"), &file);
    }
}

fn packet_is_written(source: &str, file: &Path) {
    let mut script = Script::new(source);
    script.options.compile.files_allowed = true;
    let printed = script.try_watch(|| {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("a socket");
        socket.send_to(b"a packet to be seen", "127.0.0.1:9").expect("it is sent");
    });
    let printed = printed.expect("the script runs");
    assert!(printed.contains("@[true]: "), "{printed}");
    let written = fs::read(file).expect("the file is there");
    assert_eq!(written[..4], 0xa1b2_c3d4_u32.to_ne_bytes());
    // Behind the file's head and the packet's: IPv4, without the link layer.
    assert_eq!(written[40] >> 4, 4);
    assert!(written.windows(19).any(|part| part == b"a packet to be seen"));
}

#[test]
fn a_struct_is_a_value_to_keep_to_print_and_to_take_apart() {
    need_tracing!();
    #[repr(C)]
    struct Pair {
        a: i32,
        b: i16,
        name: [u8; 6],
    }
    let pair = Box::new(Pair { a: -5, b: 7, name: *b"two\0\0\0" });
    assert_eq!((pair.a, pair.b, &pair.name[..3]), (-5, 7, &b"two"[..]));
    let source = r#"struct pair { int a; short b; char name[6]; }
        begin { $f = *(struct pair *)$1; print($f); @whole = $f; @keyed[$f, 1] = $f.a; print((1, @whole));
                printf("%d %s %d\n", $f.b, $f.name, @whole.a); }"#;
    let printed = Script::new(source).args(&[&(&raw const *pair as usize).to_string()]).run();
    let whole = "{ .a = -5, .b = 7, .name = two }";
    assert_eq!(
        printed.output,
        format!("{whole}\n(1, {whole})\n7 two -5\n\n\n@keyed[{whole}, 1]: -5\n@whole: {whole}\n")
    );
}

#[test]
fn a_struct_of_the_kernel_is_kept_and_printed_whole() {
    need_tracing!();
    if !std::path::Path::new("/sys/kernel/btf/vmlinux").exists() {
        println!("SKIP: this kernel does not tell its types");
        return;
    }
    let source = "begin { $pwd = curtask.fs.pwd; print($pwd); @ = *curtask.fs; print(@.pwd.dentry == $pwd.dentry);
        @k[curtask.se.run_node] = 1; printf(\"%d\\n\", @.users); print(*curtask); clear(@); clear(@k); }";
    let printed = Script::new(source).run().output;
    let lines: Vec<&str> = printed.lines().collect();
    assert!(lines[0].starts_with("{ .mnt = 0x") && lines[0].contains(", .dentry = 0x"), "{printed}");
    assert_eq!(lines[1], "true", "{printed}");
    assert!(lines[2].parse::<u32>().is_ok_and(|users| users > 0), "{printed}");
    assert!(lines[3].contains(".static_prio = ") && lines[3].contains(".comm = "), "{printed}");
}

#[test]
fn a_map_has_an_address_where_the_kernel_describes_it() {
    need_tracing!();
    if !std::path::Path::new("/sys/kernel/btf/vmlinux").exists() {
        println!("SKIP: this kernel does not tell its types");
        return;
    }
    let source = "let @b = hash(77); begin { @a[1] = 1; @b[1] = 1; $p = &@b; print(($p == &@b, &@a == $p));
        print(((&@b).max_entries, ((struct bpf_map *)&@a).key_size)); @c = count(); print((uint64)&@c > 0); }";
    let printed = Script::new(source).run().output;
    assert!(printed.starts_with("(true, false)\n(77, 1)\ntrue\n"), "{printed}");
}

#[test]
fn a_timer_does_not_fire_again_after_exit() {
    need_tracing!();
    let script = "interval:us:200 { @turns++; exit(); } profile:hz:5000 { @samples = count(); } end { printf(\"%d\\n\", @turns); }";
    let printed = Script::new(&format!("config = {{ print_maps_on_exit = false }} {script}")).run();
    assert_eq!(printed.output, "1\n\n\n");
}

#[test]
fn elements_added_at_once_with_interrupts_off_all_find_room() {
    need_tracing!();
    let added = "for ($i : 0..20) { @counts[$i] = count(); @last[$i] = $i; }";
    let script = format!(
        "config = {{ print_maps_on_exit = false }} interval:ms:1 {{ {added} exit(); }} end {{ print((len(@counts), len(@last))); }}"
    );
    assert_eq!(Script::new(&script).run().output, "(20, 20)\n\n\n");
}

#[test]
fn a_time_series_counts_by_the_wall_clock() {
    need_tracing!();
    let script = "interval:ms:100 { @ = tseries(7, 1h, 2); exit(); }";
    let printed = Script::new(script).json().run().output;
    let hour = jiff::Timestamp::now().strftime("%Y-%m-%d %H:").to_string();
    assert!(printed.contains(&format!("\"interval_start\":\"{hour}")) && printed.contains("\"value\":7"), "{printed}");
}

#[test]
fn the_frames_of_a_stack_are_counted() {
    need_tracing!();
    let output = Script::new(
        "tracepoint:syscalls:sys_enter_getppid /tid == TID/ { @kernel = len(kstack(2)); @user = len(ustack(1)); }",
    )
    .watch(|| {
        let _ = rustix::process::getppid();
    });
    assert_eq!(output, "\n\n@kernel: 2\n@user: 1\n");
}

#[test]
fn bytes_are_written_into_a_process_where_that_is_allowed() {
    need_tracing!();
    let mut text = *b"0123";
    let address = text.as_mut_ptr() as usize;
    let source = format!("tracepoint:syscalls:sys_enter_getppid /tid == TID/ {{ write_user({address}, \"ab\", 2); }}");
    let mut script = Script::new(&source);
    script.options.compile.unsafe_allowed = true;
    let done = script.try_watch(|| {
        let _ = rustix::process::getppid();
    });
    if let Err(refused) = done {
        println!("SKIP: this kernel writes into no process: {refused}");
        return;
    }
    assert_eq!(std::hint::black_box(&text), b"ab23");
}

#[test]
fn tests_of_a_script_are_run_and_counted() {
    need_tracing!();
    let source = "test:sums { if (1 + 1 != 2) { return 1; } } test:wrong { print(7); return 1; } test:ends { assert(false, \"no\"); }";
    let mut script = Script::new(source);
    script.options.compile.trials = Some(lang::options::Trials::Tests);
    let Printed { output, code } = script.run();
    assert_eq!(code, 1);
    assert!(output.contains("[       OK ] sums (") && !output.contains("[       OK ] wrong"), "{output}");
    assert!(output.contains("[ RUN      ] wrong\n7\n[  FAILED  ] wrong ("), "{output}");
    assert!(output.contains("3 tests ran.\n[  PASSED  ] 1 tests.\n[  FAILED  ] 2 tests"), "{output}");
}

#[test]
fn benchmarks_of_a_script_are_timed() {
    need_tracing!();
    let mut script = Script::new("bench:count { @n++; } bench:skipped { return 1; }").json();
    script.options.compile.trials = Some(lang::options::Trials::Benches);
    let Printed { output, code } = script.run();
    assert_eq!((code, output.lines().count()), (0, 1), "{output}");
    assert!(output.starts_with("{\"type\": \"benchmark_result\", \"data\": {\"count\": {\"average\": "), "{output}");
}

#[test]
fn a_process_is_in_the_cgroup_of_its_path() {
    need_tracing!();
    let mounts = fs::read_to_string("/proc/self/mounts").expect("the mounts");
    let root = mounts.lines().find_map(|line| match line.split(' ').collect::<Vec<_>>()[..] {
        [_, at, "cgroup2", ..] => Some(at.to_owned()),
        _ => None,
    });
    let own = fs::read_to_string("/proc/self/cgroup").expect("the cgroups");
    let (Some(root), Some(own)) = (root, own.lines().find_map(|line| line.strip_prefix("0::"))) else {
        println!("SKIP: no cgroups of version 2 are mounted");
        return;
    };
    let folder = format!("{root}{own}");
    let folder = folder.trim_end_matches('/');
    let source = format!(r#"begin {{ printf("%d\n", cgroup == cgroupid("{folder}")); }}"#);
    assert_eq!(Script::new(&source).run().output, "1\n\n\n");
    let elsewhere = Script::new(r#"begin { print(cgroupid("/proc")); }"#).try_run().expect_err("not a cgroup");
    assert!(elsewhere.to_string().contains("there is no cgroup of version 2 at /proc"), "{elsewhere}");
}

#[test]
fn characters_without_a_nul_print_whole() {
    need_tracing!();
    let source = r#"struct f { char s[5]; char t[8]; };
        begin { $b = ((uint64)0x3231306f6c6c6568, (uint64)0x3736353433); $f = (struct f *)&$b;
                $s = $f->s; printf("%s %s|%s\n", $s, $f.s, $f.t); print(($f.s, $f.t)); @[$f.t] = $f.s; }"#;
    let printed = Script::new(source).run();
    assert_eq!(printed.output, "hello hello|01234567\n(hello, 01234567)\n\n\n@[01234567]: hello\n");
}

#[test]
fn variables_of_a_library_have_addresses() {
    need_tracing!();
    let source = r#"uprobe:libc:getpid /tid == TID/ { printf("%s\n", str(*uaddr("program_invocation_name"))); }
                    uretprobe:libc:getpid /tid == TID/ { printf("%s\n", str(*uaddr("program_invocation_name"))); }"#;
    let printed = Script::new(source).watch(|| assert_ne!(std::process::id(), 0));
    let own = std::env::args().next().expect("what this program was called by");
    assert_eq!(printed.trim_end(), format!("{own}\n{own}"));
}

#[test]
fn files_have_paths() {
    need_tracing!();
    let directory = tempfile::tempdir().expect("a temporary directory");
    let name = directory.path().join("a-file-with-a-name");
    let kept = File::create(&name).expect("a file");
    let source = r#"iter:task_file { @[path(ctx.file.f_path)] = count(); @end[path(ctx.file.f_path, 10)] = count(); }"#;
    let printed = Script::new(source).run();
    drop(kept);
    assert!(printed.output.contains(&format!("@[{}]: ", name.display())), "{}", printed.output);
    assert!(printed.output.contains("@end[th-a-name]: "), "{}", printed.output);
}

#[test]
fn long_strings_are_looped_over() {
    need_tracing!();
    let text = "x".repeat(9000);
    let mut script =
        Script::new("begin { @m[str($1)] = str($1); for ($kv : @m) { print($kv); } clear(@m); }").args(&[&text]);
    script.options.compile.settings = vec![("max_strlen".to_owned(), "9999".to_owned())];
    assert_eq!(script.run().output.trim_end(), format!("({text}, {text})"));
}

#[test]
fn the_fields_of_a_tracepoint_print_together() {
    need_tracing!();
    let printed = Script::new("tracepoint:sched:sched_switch { print(args); exit(); }").run();
    assert!(printed.output.starts_with("{ .prev_comm = "), "{}", printed.output);
    let raw = Script::new("tracepoint:raw_syscalls:sys_exit { print(args); exit(); }").run();
    assert!(raw.output.starts_with("{ .id = "), "{}", raw.output);
}

#[test]
fn any_bytes_are_printed() {
    need_tracing!();
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("output");
    let mut script = Script::new(r#"begin { $s = "\xfe"; printf("\xff%s%c\n", $s, 0xfd); }"#);
    script.options.output = Some(path.clone());
    assert_eq!(run(&script.options).expect("an end"), 0);
    assert_eq!(fs::read(path).expect("the output"), b"\xff\xfe\xfd\n\n\n");
}

#[test]
fn a_running_program_is_listed_by_its_name_with_its_arguments() {
    need_tracing!();
    let (mut listed, mut by_id) = (Vec::new(), Vec::new());
    let is_it = |line: &&String| line.ends_with(":tracepoint_raw_syscalls_sys_enter_1");
    let script = Script::new("tracepoint:raw_syscalls:sys_enter /tid == TID/ { @ = count(); }");
    script.watch(|| {
        let list = |pattern: &str, verbose| {
            let listing = agent::probes::Listing { verbose, pid: None, debug_folders: &[] };
            agent::probes::list(pattern, &listing).expect("a list")
        };
        listed = list("fentry:bpf:*sys_enter_1", true);
        let id = listed.iter().find(is_it).and_then(|line| line.split(':').nth(2)).unwrap_or("none");
        by_id = list(&format!("fexit:bpf:{id}:*"), false);
    });
    if listed.is_empty() && agent::target::kernel_types().expect("types").is_none() {
        println!("SKIP: the kernel does not tell its types");
        return;
    }
    let name = listed.iter().position(|line| is_it(&line)).unwrap_or_else(|| panic!("{listed:?}"));
    assert_eq!(listed[name + 1], "    void *ctx");
    assert_eq!(by_id, [listed[name].replace("fentry", "fexit")]);
}
