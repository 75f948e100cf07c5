//! BPF maps whose key and value sizes are known at run time only: their elements as bytes, one by one and in batches.
//!
//! aya creates the maps and owns the ring buffer's memory; its element access wants sizes at compile time and has no batches.
//! For the per-CPU kinds a value is that of every possible CPU, back to back, each rounded up to 8 bytes.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use aya::maps::{MapData, MapError, PerfEventArray, RingBuf};
use aya_obj::generated::{BPF_ANY, BPF_EXIST, bpf_attr, bpf_cmd};
use bpf::map::MapType;

use super::bpf::{address, address_mut, attr, call};

/// How many elements a batch asks for at first. A bucket of the hash table that is larger asks for more.
const BATCH: u32 = 256;

/// What to create.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// What `bpftool map` shows; what does not fit 15 bytes is cut off.
    pub name: &'a str,
    /// What kind of map it is.
    pub kind: MapType,
    /// Bytes.
    pub key_size: u32,
    /// Bytes, of one CPU for the per-CPU kinds.
    pub value_size: u32,
    /// Elements; bytes for a ring buffer.
    pub max_entries: u32,
    /// `BPF_F_*`.
    pub flags: u32,
}

/// A BPF map. It lives until it is dropped here and in every program that uses it.
#[derive(Debug)]
pub struct Map {
    data: MapData,
    key_size: usize,
    value_size: usize,
}

impl Map {
    /// Creates a map. The minimum kernel is that of its kind, see [`MapType`].
    pub fn create(request: &Request<'_>) -> Result<Self, MapError> {
        let Request { name, kind, key_size, value_size, max_entries, flags } = *request;
        let definition = aya_obj::Map::new_from_params(kind as u32, key_size, value_size, max_entries, flags);
        let data = MapData::create(definition, name, None)?;
        let per_cpu =
            matches!(kind, MapType::PercpuHash | MapType::PercpuArray | MapType::LruPercpuHash).then(possible_cpus);
        let value_size = match per_cpu {
            Some(cpus) => value_size.next_multiple_of(8) as usize * cpus.map_err(MapError::IoError)? as usize,
            None => value_size as usize,
        };
        Ok(Self { data, key_size: key_size as usize, value_size })
    }

    /// A map that was made otherwise, of keys and values of these sizes.
    pub(super) fn of(data: MapData, key_size: u32, value_size: u32) -> Self {
        Self { data, key_size: key_size as usize, value_size: value_size as usize }
    }

    /// Bytes of a key.
    pub fn key_size(&self) -> usize {
        self.key_size
    }

    /// Bytes of a value; of all CPUs together for the per-CPU kinds.
    pub fn value_size(&self) -> usize {
        self.value_size
    }

    /// The map as a ring buffer to read from; an error if it is of another kind.
    pub fn into_ring(self) -> Result<RingBuf<MapData>, MapError> {
        RingBuf::try_from(aya::maps::Map::RingBuf(self.data))
    }

    /// The map as an array of buffers for events of each CPU; an error if it is of another kind.
    pub fn into_perf_events(self) -> Result<PerfEventArray<MapData>, MapError> {
        PerfEventArray::try_from(aya::maps::Map::PerfEventArray(self.data))
    }

    /// Reads the value at `key`; `None` where there is none.
    ///
    /// Kernel 3.18.
    pub fn lookup(&self, key: &[u8]) -> io::Result<Option<Vec<u8>>> {
        let mut value = vec![0; self.value_size];
        let mut attr = self.element(key)?;
        attr.__bindgen_anon_2.__bindgen_anon_1.value = address_mut(&mut value);
        // SAFETY: key and value are of the map's sizes and outlive the call.
        let found = found(unsafe { call(bpf_cmd::BPF_MAP_LOOKUP_ELEM, &mut attr) })?;
        Ok(found.then_some(value))
    }

    /// Writes the value at `key`, whether there is one or not.
    ///
    /// Kernel 3.18.
    pub fn update(&self, key: &[u8], value: &[u8]) -> io::Result<()> {
        self.write(key, value, BPF_ANY).map(drop)
    }

    /// Writes the value at `key` if there is one; false where there is none.
    ///
    /// Kernel 3.18.
    pub fn replace(&self, key: &[u8], value: &[u8]) -> io::Result<bool> {
        self.write(key, value, BPF_EXIST)
    }

    fn write(&self, key: &[u8], value: &[u8], flags: u32) -> io::Result<bool> {
        if value.len() != self.value_size {
            return Err(wrong_size("value", value.len(), self.value_size));
        }
        let mut attr = self.element(key)?;
        attr.__bindgen_anon_2.__bindgen_anon_1.value = address(value);
        attr.__bindgen_anon_2.flags = u64::from(flags);
        // SAFETY: key and value are of the map's sizes and outlive the call.
        found(unsafe { call(bpf_cmd::BPF_MAP_UPDATE_ELEM, &mut attr) })
    }

    /// Deletes the element at `key`; false where there is none.
    ///
    /// Kernel 3.18; arrays refuse it.
    pub fn delete(&self, key: &[u8]) -> io::Result<bool> {
        let mut attr = self.element(key)?;
        // SAFETY: the key is of the map's size and outlives the call.
        found(unsafe { call(bpf_cmd::BPF_MAP_DELETE_ELEM, &mut attr) })
    }

    /// Makes the map read-only for user space. Together with `RDONLY_PROG` its contents are constants to the verifier.
    ///
    /// Kernel 5.2.
    pub fn freeze(&self) -> io::Result<()> {
        let mut attr = attr();
        attr.__bindgen_anon_2.map_fd = self.raw();
        // SAFETY: this command reads no address.
        unsafe { call(bpf_cmd::BPF_MAP_FREEZE, &mut attr) }.map(drop)
    }

    /// Reads every element of a hash map, in batches where the kernel has them (5.6), else one by one.
    ///
    /// Elements that are added or deleted meanwhile may be missed or, rarely and only one by one, read twice.
    pub fn elements(&self) -> io::Result<Elements> {
        match self.batches() {
            Err(error) if matches!(error.raw_os_error(), Some(libc::EINVAL | libc::ENOTSUP | ENOTSUPP)) => {
                self.one_by_one()
            }
            result => result,
        }
    }

    /// Every key of a hash map, back to back.
    ///
    /// Kernel 4.12.
    pub fn keys(&self) -> io::Result<Vec<u8>> {
        let mut keys = Vec::new();
        let mut key = self.next_key(None)?;
        while let Some(found) = key {
            keys.extend_from_slice(&found);
            key = self.next_key(Some(&found))?;
        }
        Ok(keys)
    }

    fn raw(&self) -> u32 {
        self.as_fd().as_raw_fd() as u32
    }

    /// An argument block that names `key` of this map, once its size is checked.
    fn element(&self, key: &[u8]) -> io::Result<bpf_attr> {
        if key.len() != self.key_size {
            return Err(wrong_size("key", key.len(), self.key_size));
        }
        let mut attr = attr();
        attr.__bindgen_anon_2.map_fd = self.raw();
        attr.__bindgen_anon_2.key = address(key);
        Ok(attr)
    }

    fn batches(&self) -> io::Result<Elements> {
        let mut all = Elements::new(self.key_size, self.value_size);
        let mut size = BATCH;
        // The kernel's place in the table: a bucket number for hash maps, at most a key for other kinds.
        let mut from = vec![0; self.key_size.max(8)];
        let mut to = from.clone();
        let mut first = true;
        loop {
            let done = all.len();
            all.resize(done + size as usize);
            let mut attr = attr();
            attr.batch.map_fd = self.raw();
            attr.batch.count = size;
            attr.batch.in_batch = if first { 0 } else { address(&from) };
            attr.batch.out_batch = address_mut(&mut to);
            attr.batch.keys = address_mut(all.keys.get_mut(done * self.key_size..).unwrap_or_default());
            attr.batch.values = address_mut(all.values.get_mut(done * self.value_size..).unwrap_or_default());
            // SAFETY: keys and values have room for `size` elements from `done` on, both places for a key; all outlive
            // the call.
            let result = unsafe { call(bpf_cmd::BPF_MAP_LOOKUP_BATCH, &mut attr) };
            let errno = result.as_ref().err().and_then(io::Error::raw_os_error);
            // SAFETY: the kernel wrote this variant of the union.
            let count = unsafe { attr.batch.count } as usize;
            all.resize(done + if matches!(errno, None | Some(libc::ENOENT)) { count.min(size as usize) } else { 0 });
            match errno {
                None => {
                    std::mem::swap(&mut from, &mut to);
                    first = false;
                }
                Some(libc::ENOENT) => return Ok(all),
                Some(libc::ENOSPC) => size = size.saturating_mul(4),
                Some(_) => return result.map(|_| all),
            }
        }
    }

    fn one_by_one(&self) -> io::Result<Elements> {
        let mut all = Elements::new(self.key_size, self.value_size);
        let mut key = self.next_key(None)?;
        while let Some(found) = key {
            if let Some(value) = self.lookup(&found)? {
                all.keys.extend_from_slice(&found);
                all.values.extend_from_slice(&value);
            }
            key = self.next_key(Some(&found))?;
        }
        Ok(all)
    }

    /// The key after `key`, or the first one.
    fn next_key(&self, key: Option<&[u8]>) -> io::Result<Option<Vec<u8>>> {
        let mut next = vec![0; self.key_size];
        let mut attr = match key {
            Some(key) => self.element(key)?,
            None => {
                let mut attr = attr();
                attr.__bindgen_anon_2.map_fd = self.raw();
                attr
            }
        };
        attr.__bindgen_anon_2.__bindgen_anon_1.next_key = address_mut(&mut next);
        // SAFETY: both keys are of the map's key size, or the first is absent; they outlive the call.
        let found = found(unsafe { call(bpf_cmd::BPF_MAP_GET_NEXT_KEY, &mut attr) })?;
        Ok(found.then_some(next))
    }
}

impl AsFd for Map {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.data.fd().as_fd()
    }
}

/// Elements of a map: keys and values in flat buffers, in no order.
#[derive(Clone, Debug, Default)]
pub struct Elements {
    keys: Vec<u8>,
    values: Vec<u8>,
    key_size: usize,
    value_size: usize,
}

impl Elements {
    fn new(key_size: usize, value_size: usize) -> Self {
        Self { key_size, value_size, ..Self::default() }
    }

    fn resize(&mut self, elements: usize) {
        self.keys.resize(elements * self.key_size, 0);
        self.values.resize(elements * self.value_size, 0);
    }

    /// Pairs of key and value.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&[u8], &[u8])> {
        self.keys.chunks_exact(self.key_size.max(1)).zip(self.values.chunks_exact(self.value_size.max(1)))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.keys.len() / self.key_size.max(1)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

/// How many CPUs the machine may ever have: per-CPU values have one part for each.
pub fn possible_cpus() -> io::Result<u32> {
    aya::util::nr_cpus().map(|cpus| cpus as u32).map_err(|(_, error)| error)
}

/// The kernel's own number for "not supported", which leaks out of bpf(2) for some kinds of maps.
const ENOTSUPP: i32 = 524;

fn wrong_size(what: &str, is: usize, should: usize) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("{what} of {is} bytes for a map of {should}"))
}

fn found(result: io::Result<i64>) -> io::Result<bool> {
    match result {
        Ok(_) => Ok(true),
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(false),
        Err(error) => Err(error),
    }
}
