//! What the probes of kernel functions have in common: attach points that name them, and the two ways to attach.
//!
//! A function is attached to by its address (kprobe, kretprobe) or by its types (fentry, fexit). Where a kernel has only one of the two,
//! a probe of the other kind attaches that way, with a warning that says so.

use std::collections::BTreeMap;
use std::rc::Rc;

use bpf::btf::{Kind, TypeId};

use crate::ast::AttachPoint;
use crate::compiled::Attach;
use crate::diagnostic::Diagnostic;
use crate::expand::{Context, Expand, Function};
use crate::glob;
use crate::needs::{FunctionPattern, Needs};
use crate::target::{Target, TypesOf};
use crate::types::Space;
use crate::uses::Uses;

/// A kernel function and a place in it.
#[derive(Clone, Debug)]
pub struct Place {
    /// Its name, without module.
    pub function: String,
    /// The module; `None` for the kernel itself.
    pub module: Option<String>,
    /// Bytes from its start.
    pub offset: u64,
}

/// Notes the functions an attach point stands for.
pub fn needs(point: &AttachPoint, uses: Uses, needs: &mut Needs) {
    needs.unwinding |= uses.kernel_stack;
    needs.modules |= point.parts.len() == 2;
    let pattern = match point.parts.as_slice() {
        [name] => split(&name.node).map(|(name, _)| FunctionPattern { module: None, name: name.to_owned() }),
        [module, name] => split(&name.node)
            .map(|(name, _)| FunctionPattern { module: Some(module.node.clone()), name: name.to_owned() }),
        _ => None,
    };
    needs.functions.extend(pattern);
}

/// The functions an attach point stands for; what is wrong with it has been reported when there is none.
pub fn places(expand: &mut Expand<'_>, point: &AttachPoint, provider: &str) -> Vec<Place> {
    let (module, last) = match point.parts.len() {
        1 => (None, expand.part(point, 0)),
        2 => (expand.part(point, 0), expand.part(point, 1)),
        _ => (None, None),
    };
    let Some((name, offset)) = last.as_deref().and_then(split) else {
        expand.malformed(point, &format!("{provider}:function or {provider}:module:function"));
        return vec![];
    };
    let pattern = FunctionPattern { module: module.clone(), name: name.to_owned() };
    let found: Vec<Place> = expand
        .target
        .functions
        .iter()
        .filter(|(name, module)| pattern.matches(module.as_deref(), name))
        .map(|(name, module)| Place { function: name.clone(), module: module.clone(), offset })
        .collect();
    if found.is_empty() && expand.target.complete {
        if let Some(address) = address(name).filter(|_| expand.options.unsafe_allowed && module.is_none()) {
            return vec![Place { function: address.to_string(), module: None, offset: 0 }];
        }
        return missing(expand, point, provider, module.as_deref(), name, offset);
    }
    match found.is_empty() {
        true => vec![Place { function: name.to_owned(), module: None, offset }],
        false => found,
    }
}

/// An address in place of a function's name.
fn address(name: &str) -> Option<u64> {
    match name.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => name.parse().ok(),
    }
}

/// Says why there is no such function. With what is not safe allowed, the kernel has the last word on one that is named in full.
fn missing(
    expand: &mut Expand<'_>,
    point: &AttachPoint,
    provider: &str,
    module: Option<&str>,
    name: &str,
    offset: u64,
) -> Vec<Place> {
    if let Some(module) = module.filter(|module| !expand.target.has_module(module)) {
        let message = format!("specified module {module} in probe {provider}:{module}:{name} is not loaded.");
        expand.report(Diagnostic::error("E0401", point.span, message).help("`lsmod` lists the modules that are"));
        return vec![];
    }
    let full = module.map_or_else(|| name.to_owned(), |module| format!("{module}:{name}"));
    let wild = glob::is_pattern(name);
    if !wild {
        let forced = expand.options.unsafe_allowed;
        if forced || !expand.is_misspelt(point) {
            expand.untraceable(point.span, name);
        }
        if forced {
            return vec![Place { function: full, module: None, offset }];
        }
    }
    let help = why_missing(expand.target, provider, name);
    expand.missing(point, &format!("{provider} {full}"), &help);
    vec![]
}

/// Why there may be no function of this name, and what to do about it.
fn why_missing(target: &Target, provider: &str, name: &str) -> String {
    if let Some(variants) = target.variants.get(name) {
        let names = variants.iter().take(MOST_VARIANTS).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        return format!("the kernel's compiler has split or specialised this function: {provider} takes {names}");
    }
    if target.btf.as_deref().is_some_and(|btf| btf.find_func(name).is_some()) {
        return "the kernel's types describe this function, yet it has no symbol: the compiler has put it into its callers (inlined); trace one of those".to_owned();
    }
    let mut help = String::from(
        "it may be called otherwise in this kernel, be inlined, or be part of a module that is not loaded",
    );
    if !glob::is_pattern(name) {
        let stem: String = name.chars().take(8).collect();
        help.push_str(&format!("; `bpfleet probes '{provider}:{stem}*'` lists what has a similar name"));
    }
    help
}

/// How many variants of a function a message names.
const MOST_VARIANTS: usize = 3;

/// Adds places as functions by their address; by their types where this kernel has no other way.
pub fn by_address(expand: &mut Expand<'_>, point: &AttachPoint, provider: &str, places: &[Place], ret: bool) {
    if expand.target.features.kprobe || !expand.target.complete {
        for place in places {
            if expand.target.untraceable.contains(&place.function) {
                expand.unlisted(point.span, &place.function);
            }
            address_site(expand, provider, place, ret, None);
        }
        return;
    }
    let types = function_types(expand.target, places);
    let wild = places.len() > 1;
    let mut attached = false;
    for place in places {
        let found = types.get(&place.key()).copied();
        match found.filter(|_| expand.target.features.fentry && place.offset == 0) {
            Some(ty) => {
                attached = true;
                type_site(expand, provider, place, ty, ret);
            }
            // Of many, those that cannot be had are left out.
            None if wild => {}
            None => break,
        }
    }
    let (other, span) = (if ret { "fexit" } else { "fentry" }, point.provider.span);
    if attached {
        let message = format!("this kernel has no kprobes: {provider} attaches as {other}");
        expand.report(Diagnostic::warning("W0402", span, message));
        return;
    }
    let why = match expand.target.features.fentry {
        false => {
            "this node's kernel has neither kprobes nor fentry (CONFIG_KPROBES is off, or a lockdown forbids them)"
        }
        true => {
            "this node's kernel has no kprobes, and fentry knows neither this function nor places inside of functions"
        }
    };
    let why = format!("Unable to attach probe: {}: {why}", super::written(provider, expand, point));
    expand.report(
        Diagnostic::error("E0406", span, why).help("a tracepoint may tell the same: `bpfleet probes 'tracepoint:*'`"),
    );
}

/// Adds places as functions by their types; by their address where this kernel has no other way.
pub fn by_types(expand: &mut Expand<'_>, point: &AttachPoint, provider: &str, places: &[Place], ret: bool) {
    if !expand.target.complete {
        for place in places {
            type_site(expand, provider, place, TypeId::VOID, ret);
        }
        return;
    }
    let types = function_types(expand.target, places);
    let (wild, mut instead) = (places.len() > 1, false);
    for place in places {
        let Some(ty) = types.get(&place.key()).copied() else {
            if !wild {
                let full = place.function.clone();
                let help = "the kernel's types (BTF) do not describe this function; a kprobe needs none";
                expand.missing(point, &format!("{provider} {full}"), help);
            }
            continue;
        };
        if expand.target.features.fentry {
            type_site(expand, provider, place, ty, ret);
        } else if expand.target.features.kprobe {
            instead = true;
            address_site(expand, provider, place, ret, Some(ty));
        } else {
            let why = format!(
                "Unable to attach probe: {}: this node's kernel has neither fentry nor kprobes, or a lockdown forbids them",
                name(provider, place)
            );
            expand.report(
                Diagnostic::error("E0406", point.provider.span, why)
                    .help("a tracepoint may tell the same: `bpfleet probes 'tracepoint:*'`"),
            );
            return;
        }
    }
    if instead {
        let other = if ret { "kretprobe" } else { "kprobe" };
        let message = format!("this kernel cannot attach by types: {provider} attaches as {other}");
        expand.report(Diagnostic::warning("W0402", point.provider.span, message));
    }
}

fn address_site(expand: &mut Expand<'_>, provider: &str, place: &Place, ret: bool, ty: Option<TypeId>) {
    let typed = ty.map(|ty| Rc::new(Function { name: place.function.clone(), ty, ret }));
    let name = name(provider, place);
    let (attach, context) = match ret {
        false => (
            Attach::Kprobe { function: place.function.clone(), offset: place.offset },
            Context::Entry { space: Space::Kernel, typed },
        ),
        true => {
            (Attach::Kretprobe { function: place.function.clone() }, Context::Return { space: Space::Kernel, typed })
        }
    };
    expand.site(attach, name, context);
}

fn type_site(expand: &mut Expand<'_>, provider: &str, place: &Place, ty: TypeId, ret: bool) {
    let name = name(provider, place);
    let function = Function { name: place.function.clone(), ty, ret };
    expand.site(Attach::Function { function: place.function.clone(), ret }, name, Context::Function(Rc::new(function)));
}

fn name(provider: &str, place: &Place) -> String {
    // Attaching by types is always to a function of a certain module, and its name says so.
    let module = match provider {
        "fentry" | "fexit" => format!("{}:", place.module.as_deref().unwrap_or("vmlinux")),
        _ => String::new(),
    };
    match place.offset {
        0 => format!("{provider}:{module}{}", place.function),
        offset => format!("{provider}:{module}{}+{offset}", place.function),
    }
}

/// A function's name and the module it is in.
type Key<'p> = (Option<&'p str>, &'p str);

impl Place {
    fn key(&self) -> Key<'_> {
        (self.module.as_deref(), &self.function)
    }
}

/// The types of functions, found in one walk over all of them.
fn function_types<'p>(target: &Target, places: &'p [Place]) -> BTreeMap<Key<'p>, TypeId> {
    let Some(btf) = target.btf.as_deref() else { return BTreeMap::new() };
    if let [place @ Place { module: None, .. }] = places {
        return btf.find_func(&place.function).map(|ty| (place.key(), ty)).into_iter().collect();
    }
    let wanted: BTreeMap<Key<'_>, Key<'p>> = places.iter().map(|place| (place.key(), place.key())).collect();
    let found = btf.iter(Kind::Func).filter_map(|(ty, name)| {
        let module = match btf.origin(ty).0.checked_sub(1).and_then(|added| target.added_types.get(added)) {
            None => None,
            Some(TypesOf::Module(module)) => Some(module.as_str()),
            Some(_) => return None,
        };
        Some((*wanted.get(&(module, name))?, ty))
    });
    found.collect()
}

/// `name+offset` in its parts.
pub fn split(text: &str) -> Option<(&str, u64)> {
    let Some((name, offset)) = text.split_once('+') else { return (!text.is_empty()).then_some((text, 0)) };
    let offset = match offset.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok()?,
        None => offset.parse().ok()?,
    };
    (!name.is_empty()).then_some((name, offset))
}
