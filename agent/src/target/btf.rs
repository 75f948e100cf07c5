//! The kernel's own types.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use ::bpf::btf::Btf;

use super::TargetError;
use crate::sys::mapping;

const PATH: &str = mapping::KERNEL_TYPES;

/// The parsed types, as long as somebody uses them.
static SHARED: Mutex<Weak<Btf>> = Mutex::new(Weak::new());

/// The kernel's types, followed by those of the first module that one of `functions` is in, and that module's name.
///
/// Every module's types are numbered from where the kernel's end: those of a second one would be taken for the first's.
pub fn with_module(btf: Arc<Btf>, functions: &BTreeMap<String, Option<String>>) -> (Arc<Btf>, Option<String>) {
    for module in functions.values().flatten() {
        let Ok(bytes) = std::fs::read(format!("/sys/kernel/btf/{module}")) else { continue };
        match btf.with_module(&bytes) {
            Ok(both) => return (Arc::new(both), Some(module.clone())),
            Err(error) => tracing::warn!(%error, module, "a module's types cannot be read"),
        }
    }
    (btf, None)
}

/// The kernel's types; `None` where the kernel was built without them (`CONFIG_DEBUG_INFO_BTF`, 5.4).
pub fn vmlinux() -> Result<Option<Arc<Btf>>, TargetError> {
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(btf) = shared.upgrade() {
        return Ok(Some(btf));
    }
    let bytes = match mapping::kernel_types() {
        Some(bytes) => Ok(Cow::Borrowed(bytes)),
        None => std::fs::read(PATH).map(Cow::Owned),
    };
    let bytes = match bytes {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(TargetError::unreadable(PATH)(error)),
    };
    let btf = Arc::new(Btf::parse(bytes)?);
    *shared = Arc::downgrade(&btf);
    Ok(Some(btf))
}
