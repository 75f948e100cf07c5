//! What types are called: in messages, and by `typeinfo`.

use std::fmt;

use report::schema::ValueKind;

use super::Ty;

impl fmt::Display for Ty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("unknown"),
            Self::Void => f.write_str("none"),
            Self::Bool => f.write_str("bool"),
            Self::Int { bytes, signed } => {
                write!(f, "{}int{}", if *signed { "" } else { "u" }, u32::from(*bytes) * 8)
            }
            Self::Str { size } => write!(f, "string[{size}]"),
            Self::Pointer { to, .. } if **to == Self::Void => f.write_str("void *"),
            Self::Pointer { to, .. } => write!(f, "{to} *"),
            Self::Struct(s) => write!(f, "{s}"),
            Self::Array { element, len } => write!(f, "{element}[{len}]"),
            Self::Tuple(items) => {
                let items: Vec<String> = items.iter().map(ToString::to_string).collect();
                write!(f, "({})", items.join(","))
            }
            Self::Record(items) => {
                let items: Vec<String> = items.iter().map(|(name, ty)| format!("{name}={ty}")).collect();
                write!(f, "({})", items.join(","))
            }
            Self::Buf { capacity } => write!(f, "buffer[{capacity}]"),
            Self::Inet => f.write_str("inet"),
            Self::Mac => f.write_str("mac_address"),
            Self::Ksym => f.write_str("ksym_t"),
            Self::Usym => f.write_str("usym_t"),
            Self::Kstack(_) => f.write_str("kstack"),
            Self::Ustack(_) => f.write_str("ustack"),
            Self::Enum(e) => write!(f, "enum {}", e.name),
            Self::Timestamp { .. } => f.write_str("timestamp"),
            Self::Username => f.write_str("username"),
            Self::CgroupPath => f.write_str("cgroup_path_t"),
            Self::Aggregate(kind) => f.write_str(aggregate_name(kind)),
        }
    }
}

fn aggregate_name(kind: &ValueKind) -> &'static str {
    match kind {
        ValueKind::Count => "count_t",
        ValueKind::Sum { .. } => "sum_t",
        ValueKind::Min { .. } => "min_t",
        ValueKind::Max { .. } => "max_t",
        ValueKind::Avg { .. } => "avg_t",
        ValueKind::Stats { .. } => "stats_t",
        ValueKind::Hist { .. } => "hist_t",
        ValueKind::Lhist { .. } => "lhist_t",
        ValueKind::Tseries { .. } => "tseries_t",
        ValueKind::Value(_) => "value",
    }
}
