//! The kernel's helpers, as far as programs are run here: a thread 43 of process 42, called `tester`, of user 1000.

use bpf::helper::Helper;

use crate::machine::Machine;

const NO_ENTRY: u64 = -2i64 as u64;
const EXISTS: u64 = -17i64 as u64;
const TOO_BIG: u64 = -7i64 as u64;
const FAULT: u64 = -14i64 as u64;

/// What a helper returns.
pub fn call(machine: &mut Machine, helper: Helper, args: &[u64]) -> u64 {
    match (helper, args) {
        (Helper::MapLookupElem, [map, key]) => {
            let (index, key) = key_of(machine, *map, *key);
            machine.maps[index].elements.get(&key).copied().unwrap_or(0)
        }
        (Helper::MapLookupPercpuElem, [map, key, 0]) => call(machine, Helper::MapLookupElem, &[*map, *key]),
        (Helper::MapUpdateElem, [map, key, value, flags]) => update(machine, *map, *key, *value, *flags),
        (Helper::MapDeleteElem, [map, key]) => {
            let (index, key) = key_of(machine, *map, *key);
            if machine.maps[index].elements.remove(&key).is_some() { 0 } else { NO_ENTRY }
        }
        (Helper::GetCurrentPidTgid, []) => 42 << 32 | 43,
        (Helper::GetCurrentUidGid, []) => 100 << 32 | 1000,
        (Helper::GetCurrentComm, [to, size]) => {
            let mut name = b"tester".to_vec();
            name.resize(*size as usize, 0);
            machine.put(*to, &name);
            0
        }
        (Helper::KtimeGetBootNs, []) => {
            machine.clock += 1000;
            machine.clock
        }
        (Helper::GetSmpProcessorId, []) => 0,
        (Helper::GetStack, [_, to, _, flags]) => {
            machine.put(*to, &(7 + flags).to_ne_bytes());
            8
        }
        (Helper::RingbufReserve, [_, size, 0]) => machine.reserve(*size),
        (Helper::RingbufSubmit, [record, _]) => {
            machine.submit(*record);
            0
        }
        (Helper::ProbeReadKernel | Helper::ProbeReadUser, [to, size, from]) => read(machine, *to, *size as u32, *from),
        (Helper::ProbeReadKernelStr | Helper::ProbeReadUserStr, [to, size, from]) => {
            read_string(machine, *to, *size as usize, *from)
        }
        _ => panic!("a helper that no test calls: {helper:?} with {args:x?}"),
    }
}

fn key_of(machine: &mut Machine, map: u64, key: u64) -> (usize, Vec<u8>) {
    let index = machine.map_index(map);
    let size = machine.maps[index].key_size;
    (index, machine.bytes(key, size))
}

fn update(machine: &mut Machine, map: u64, key: u64, value: u64, flags: u64) -> u64 {
    let (index, key) = key_of(machine, map, key);
    let size = machine.maps[index].value_size;
    let value = machine.bytes(value, size);
    let present = machine.maps[index].elements.get(&key).copied();
    match (present, flags) {
        (Some(_), 1) => EXISTS,
        (Some(at), _) => {
            machine.put(at, &value);
            0
        }
        (None, _) if machine.maps[index].elements.len() >= machine.maps[index].max_entries => TOO_BIG,
        (None, _) => {
            let at = machine.add(value);
            machine.maps[index].elements.insert(key, at);
            0
        }
    }
}

fn read(machine: &mut Machine, to: u64, size: u32, from: u64) -> u64 {
    let readable = machine.is_readable(from, size);
    let bytes = if readable { machine.bytes(from, size) } else { vec![0; size as usize] };
    machine.put(to, &bytes);
    if readable { 0 } else { FAULT }
}

fn read_string(machine: &mut Machine, to: u64, size: usize, from: u64) -> u64 {
    let mut text = vec![];
    while text.len() + 1 < size && machine.is_readable(from + text.len() as u64, 1) {
        match machine.bytes(from + text.len() as u64, 1)[0] {
            0 => break,
            byte => text.push(byte),
        }
    }
    text.push(0);
    machine.put(to, &text);
    text.len() as u64
}
