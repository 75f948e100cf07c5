//! How the script's maps lie in BPF maps, exactly as [`report::schema`] describes it to their reader.

use bpf::map::{MapType, NO_PREALLOC};
use report::schema::{Field, MapId, MapSchema, ValueKind};

use super::Unit;
use crate::compiled::{MapDef, MapRole};
use crate::hir::MapInfo;
use crate::target::Features;
use crate::types::{Ty, fields};

/// Bytes of the longest key: with it and any value an element stays within what the kernel allocates in one piece.
pub fn longest_key(features: Features) -> u32 {
    if features.long_keys { 1 << 16 } else { 512 }
}

/// How one map of the script lies in its BPF map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapLayout {
    /// The key's type; `None` for a scalar map.
    pub key: Option<Ty>,
    /// What its values are.
    pub kind: ValueKind,
    /// Bytes.
    pub key_size: u32,
    /// Bytes, a multiple of 8; of a scalar map with its presence word.
    pub value_size: u32,
}

impl MapLayout {
    /// The layout of a checked map; `None` if its types never became known.
    pub fn of(map: &MapInfo) -> Option<Self> {
        let kind = match &map.value {
            Ty::Aggregate(kind) => kind.clone(),
            ty => ValueKind::Value(ty.schema()?),
        };
        let value = match &map.value {
            Ty::Aggregate(kind) => words(kind) * 8,
            ty => ty.layout().size.next_multiple_of(8),
        };
        let presence = if map.key.is_none() { 8 } else { 0 };
        let key_size = map.key.as_ref().map_or(4, |key| key.layout().size);
        Some(Self { key: map.key.clone(), kind, key_size, value_size: value + presence })
    }

    /// Whether every CPU has its own values.
    pub fn per_cpu(&self) -> bool {
        !matches!(self.kind, ValueKind::Value(_))
    }

    /// Where a scalar map's presence word is.
    pub fn presence(&self) -> Option<i32> {
        self.key.is_none().then(|| self.value_size.saturating_sub(8) as i32)
    }

    /// What the reader must know.
    pub fn schema(&self, name: &str) -> Option<MapSchema> {
        let key = match &self.key {
            None => vec![],
            Some(Ty::Tuple(items)) => fields(items)?,
            Some(ty) => vec![Field { ty: ty.schema()?, offset: 0 }],
        };
        Some(MapSchema {
            name: name.to_owned(),
            key,
            kind: self.kind.clone(),
            key_size: self.key_size,
            value_size: self.value_size,
            per_cpu: self.per_cpu(),
        })
    }

    /// The BPF map to create.
    pub fn definition(&self, id: MapId, map: &MapInfo, flags: u32) -> MapDef {
        let kind = match (&self.key, self.per_cpu(), map.evicts) {
            (None, true, _) => MapType::PercpuArray,
            (None, false, _) => MapType::Array,
            (Some(_), true, false) => MapType::PercpuHash,
            (Some(_), false, false) => MapType::Hash,
            (Some(_), true, true) => MapType::LruPercpuHash,
            (Some(_), false, true) => MapType::LruHash,
        };
        MapDef {
            inner_value_size: None,
            name: kernel_name(&map.name),
            kind,
            key_size: self.key_size,
            value_size: self.value_size,
            max_entries: if self.key.is_some() { map.entries } else { 1 },
            // Maps that evict keep their elements allocated.
            flags: if self.key.is_some() && !map.evicts { flags } else { 0 },
            role: MapRole::User(id),
            contents: vec![],
        }
    }
}

/// How many 64-bit words one value of an aggregate takes.
fn words(kind: &ValueKind) -> u32 {
    match kind {
        ValueKind::Count | ValueKind::Sum { .. } | ValueKind::Value(_) => 1,
        ValueKind::Min { .. } | ValueKind::Max { .. } | ValueKind::Avg { .. } | ValueKind::Stats { .. } => 2,
        ValueKind::Hist { bits, .. } => 1 + report::hist::Log2 { bits: *bits }.count(),
        ValueKind::Tseries { intervals, .. } => intervals.saturating_mul(report::series::WORDS),
        ValueKind::Lhist { min, max, step, .. } => {
            1 + report::lhist::Linear { min: *min, max: *max, step: *step }.count()
        }
    }
}

/// What `bpftool map` shows: letters, digits, `_` and `.` only.
fn kernel_name(name: &str) -> String {
    let plain: String = name.chars().skip(1).filter(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.')).collect();
    let mut text = format!("AT_{plain}");
    text.truncate(15);
    text
}

/// `BPF_F_*` for the script's hash maps. Elements are allocated as they come where the kernel does that safely: it makes
/// starting a script cheap. Older kernels do not allow it to programs that run in an NMI.
pub fn hash_flags(unit: &Unit<'_>) -> u32 {
    if unit.target.features.map_alloc { NO_PREALLOC } else { 0 }
}
