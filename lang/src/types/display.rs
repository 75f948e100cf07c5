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

/// What two types are called where one is not the other: with their details where their names are the same.
pub fn told_apart(one: &Ty, other: &Ty) -> (String, String) {
    let (name, other_name) = (one.to_string(), other.to_string());
    if name != other_name {
        return (name, other_name);
    }
    (detailed(one).unwrap_or(name), detailed(other).unwrap_or(other_name))
}

/// As a script asks for it, in full.
fn detailed(ty: &Ty) -> Option<String> {
    Some(match ty {
        Ty::Aggregate(ValueKind::Hist { bits, .. }) => format!("hist(.., {bits})"),
        Ty::Aggregate(ValueKind::Lhist { min, max, step, .. }) => format!("lhist(.., {min}, {max}, {step})"),
        Ty::Aggregate(ValueKind::Tseries { interval_ns, intervals, fold, .. }) => {
            format!("tseries(.., {interval_ns}, {intervals}, {fold:?})")
        }
        Ty::Kstack(stack) => format!("kstack({:?}, {})", stack.mode, stack.depth).to_lowercase(),
        Ty::Ustack(stack) => format!("ustack({:?}, {})", stack.mode, stack.depth).to_lowercase(),
        _ => return None,
    })
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
