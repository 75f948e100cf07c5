//! The kernel's own types.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use ::bpf::btf::{Added, Btf};
use lang::target::TypesOf;

use super::TargetError;
use super::programs::Loaded;
use crate::sys::mapping;

const PATH: &str = mapping::KERNEL_TYPES;

/// The parsed types, as long as somebody uses them.
static SHARED: Mutex<Weak<Btf>> = Mutex::new(Weak::new());

/// The kernel's types, followed by those of every module that one of `functions` is in and by those of `programs`; and what was added, in
/// order. What has no types that can be read is left out.
pub fn with_others(
    btf: Arc<Btf>,
    functions: &BTreeMap<String, Option<String>>,
    programs: &[Loaded],
) -> (Arc<Btf>, Vec<TypesOf>) {
    let modules: BTreeSet<&String> = functions.values().flatten().collect();
    let read = |module: &&String| std::fs::read(format!("/sys/kernel/btf/{module}")).ok();
    let modules: Vec<(&String, Vec<u8>)> = modules.iter().filter_map(|module| Some((*module, read(module)?))).collect();
    if modules.is_empty() && programs.is_empty() {
        return (btf, Vec::new());
    }
    let of_modules = modules.iter().map(|(name, types)| (TypesOf::Module((*name).clone()), Added::Module(types)));
    let of_programs = programs.iter().map(|program| (TypesOf::Program(program.id), Added::Alone(&program.types)));
    let (names, added): (Vec<TypesOf>, Vec<Added<'_>>) = of_modules.chain(of_programs).unzip();
    match btf.with(&added) {
        Ok(all) => (Arc::new(all), names),
        Err(error) => {
            tracing::warn!(%error, "the types of modules and programs cannot be added to the kernel's");
            (btf, Vec::new())
        }
    }
}

/// The types of a module behind the kernel's, or the kernel's own; `None` where the module has none that can be read.
pub fn of_module(btf: &Arc<Btf>, module: Option<&str>) -> Option<Arc<Btf>> {
    let Some(module) = module else { return Some(btf.clone()) };
    let types = std::fs::read(format!("/sys/kernel/btf/{module}")).ok()?;
    Some(Arc::new(btf.with(&[Added::Module(&types)]).ok()?))
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
