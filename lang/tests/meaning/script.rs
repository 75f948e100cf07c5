//! A script in the hands of a test: compiled, fired, and read as a session does.

use lang::compiled::{Compiled, MapRole};
use lang::options::Options;
use lang::target::{Arch, Features, Target, TracepointField, TracepointFormat};
use report::decode::{decode_cell, decode_map};
use report::event::{Event, decode_event};
use report::schema::{CallSite, PrintfTo};
use report::snapshot::{Kind, MapData, Snapshot};
use report::symbols::NoSymbols;
use report::text;

use crate::machine::Machine;

/// A compiled script on its machine.
pub struct Script {
    pub compiled: Compiled,
    pub machine: Machine,
    printed: String,
}

/// A kernel of no particular features: with the helpers of 5.8, and the one that reads what all CPUs have counted.
pub fn target() -> Target {
    let field = |name: &str, ty: &str, offset, size, signed| TracepointField {
        name: name.into(),
        ty: ty.into(),
        offset,
        size,
        signed,
    };
    let fields = vec![
        field("small", "unsigned char", 8, 1, false),
        field("narrow", "int", 12, 4, true),
        field("wide", "unsigned long", 16, 8, false),
        field("moved", "off_t", 16, 8, false),
        field("name", "char[16]", 24, 16, false),
        field("text", "__data_loc char[]", 40, 4, false),
        field("numbers", "u32[4]", 44, 16, false),
    ];
    Target {
        arch: Arch::X86_64,
        callable: Default::default(),
        features: Features { kprobe: true, long_keys: true, percpu_lookup: true, ..Features::default() },
        complete: true,
        btf: None,
        tracepoints: [
            ("test:record".to_owned(), Some(TracepointFormat { id: 1, fields })),
            ("raw_syscalls:sys_enter".to_owned(), None),
        ]
        .into(),
        functions: [("vfs_read".to_owned(), None), ("vfs_write".to_owned(), None)].into(),
        similar: Default::default(),
        kernel_symbols: [].into(),
        cgroups: [("/sys/fs/cgroup/known".to_owned(), 77)].into(),
        added_types: vec![],
        untraceable: Default::default(),
        variants: Default::default(),
        program_functions: vec![],
        modules: None,
        pid_namespace: None,
        user_files: Default::default(),
        cpus: 1,
    }
}

impl Script {
    /// Compiles a script.
    pub fn new(source: &str) -> Self {
        Self::with(source, &Options::default())
    }

    /// Compiles a script with options.
    pub fn with(source: &str, options: &Options) -> Self {
        Self::on(&target(), source, options)
    }

    /// Compiles a script for a kernel.
    pub fn on(target: &Target, source: &str, options: &Options) -> Self {
        let compiled = lang::parse(source)
            .and_then(|script| lang::compile(source, &script, target, options))
            .unwrap_or_else(|found| panic!("{}", lang::render::terminal("test", source, &found)));
        let machine = Machine::new(&compiled);
        Self { compiled, machine, printed: String::new() }
    }

    /// Runs the program of the probe with this index, and acts on the events it sent.
    pub fn fire(&mut self, probe: usize, context: &[u8]) {
        let result = self.machine.run(&self.compiled.programs[probe], context);
        assert_eq!(result, 0, "every program leaves with 0");
        self.act();
    }

    /// What was printed, then what the maps hold.
    pub fn output(mut self) -> String {
        self.act();
        if !self.compiled.settings.print_maps_on_exit {
            return self.printed;
        }
        let maps = text::snapshot(&self.snapshot());
        format!("{}{}", self.printed, maps.trim_start_matches('\n'))
    }

    /// What the maps hold.
    pub fn snapshot(&mut self) -> Snapshot {
        let maps = (0..self.compiled.schema.maps.len()).map(|index| {
            let name = self.compiled.schema.maps[index].name.clone();
            (name, self.map(index))
        });
        Snapshot { maps: maps.collect() }
    }

    /// The counts of what was lost: events, stacks, elements.
    pub fn lost(&mut self) -> [u64; 3] {
        let lost = self.compiled.maps.iter().position(|map| map.role == MapRole::Lost);
        let Some(index) = lost else { return [0; 3] };
        let at = self.machine.maps[index].elements[&0u32.to_ne_bytes().to_vec()];
        [0, 8, 16].map(|offset| u64::from_ne_bytes(self.machine.bytes(at + offset, 8).try_into().expect("eight bytes")))
    }

    fn map(&mut self, index: usize) -> MapData {
        let schema = self.compiled.schema.maps[index].clone();
        let elements = self.machine.maps[index].elements.clone();
        let rows: Vec<(Vec<u8>, Vec<u8>)> =
            elements.into_iter().map(|(key, at)| (key, self.machine.bytes(at, schema.value_size))).collect();
        decode_map(&schema, rows, &NoSymbols).expect("the map is as its schema says")
    }

    fn act(&mut self) {
        for record in std::mem::take(&mut self.machine.records) {
            let event =
                decode_event(&self.compiled.schema, &record, &NoSymbols).expect("the record is as its schema says");
            let printed = self.print(event);
            self.printed.push_str(&printed);
        }
    }

    fn print(&mut self, event: Event) -> String {
        match event {
            Event::Printf { to: PrintfTo::Output, text } => text.to_str_lossy().into_owned(),
            Event::Printf { to: PrintfTo::Warning(CallSite { at, .. }), text } => {
                format!("warning {}:{}-{}: {}\n", at.line, at.column, at.end, text.to_str_lossy())
            }
            Event::Printf { to: PrintfTo::Error(CallSite { at, .. }), text } => {
                format!("error {}:{}-{}: {}\n", at.line, at.column, at.end, text.to_str_lossy())
            }
            Event::PrintValue(value) => format!("{}\n", text::value(&value)),
            Event::PrintMap { map, top, div } => {
                let name = self.compiled.schema.maps[usize::from(map.0)].name.clone();
                text::map(&name, &self.map(usize::from(map.0)), top, div)
            }
            Event::PrintKey { map, bytes, .. } => self.print_key(usize::from(map.0), &bytes),
            Event::Clear(map) => {
                self.machine.maps[usize::from(map.0)].elements.clear();
                String::new()
            }
            Event::Exit { code } => format!("exit {code}\n"),
            other => format!("{other:?}\n"),
        }
    }

    fn print_key(&mut self, index: usize, key: &[u8]) -> String {
        let schema = self.compiled.schema.maps[index].clone();
        let Some(at) = self.machine.maps[index].elements.get(key).copied() else { return "nothing\n".into() };
        let value = self.machine.bytes(at, schema.value_size);
        let cell = decode_cell(&schema, &value, &NoSymbols).expect("the element is as its schema says");
        let kind = Kind::from(&schema.kind);
        cell.map_or("nothing\n".into(), |cell| format!("{}\n", text::cell(&kind, &cell, None)))
    }
}

/// What a script prints whose probes all fire once, in order, with an empty context.
pub fn output_of(source: &str) -> String {
    let mut script = Script::new(source);
    for probe in 0..script.compiled.programs.len() {
        script.fire(probe, &[0; 64]);
    }
    script.output()
}

/// What a script prints on a kernel that calls functions back.
pub fn looped(source: &str) -> String {
    let mut newer = target();
    newer.features.bpf_loop = true;
    let mut script = Script::on(&newer, source, &Options::default());
    for probe in 0..script.compiled.programs.len() {
        script.fire(probe, &7u64.to_ne_bytes().repeat(8));
    }
    script.output()
}

/// What an expression prints as.
pub fn value_of(expression: &str) -> String {
    output_of(&format!("begin {{ print({expression}); }}")).trim_end().to_owned()
}
