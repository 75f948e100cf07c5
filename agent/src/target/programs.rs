//! Functions of the programs that are loaded into the kernel, whoever loaded them.

use std::os::fd::AsFd;

use ::bpf::btf::{Btf, TypeId};
use lang::needs::ProgramPattern;
use lang::target::ProgramFunction;

use crate::sys::programs;

/// A loaded program: its id, its types' blob and its functions.
pub struct Loaded {
    /// Its id.
    pub id: u32,
    /// Its types, as the kernel gives them.
    pub types: Vec<u8>,
    /// Its functions, itself among them.
    pub functions: Vec<ProgramFunction>,
}

/// The programs that were loaded with their types. Those that this process may not look at, or that are unloaded meanwhile, are left out.
pub fn loaded() -> Vec<Loaded> {
    let ids = match programs::ids() {
        Ok(ids) => ids,
        Err(error) => {
            tracing::debug!(%error, "programs cannot be listed");
            return Vec::new();
        }
    };
    ids.into_iter().filter_map(one).collect()
}

/// The programs of which any function matches any of `patterns`, with those functions only.
pub fn matching(patterns: &[ProgramPattern]) -> Vec<Loaded> {
    if patterns.is_empty() {
        return Vec::new();
    }
    let mut found = loaded();
    for program in &mut found {
        let is_meant = |function: &ProgramFunction| {
            patterns.iter().any(|pattern| pattern.matches(function.program, &function.name))
        };
        program.functions.retain(is_meant);
    }
    found.retain(|program| !program.functions.is_empty());
    found
}

fn one(id: u32) -> Option<Loaded> {
    let program = programs::open(id).ok()?;
    let of = programs::functions(program.as_fd()).ok().filter(|of| of.types != 0)?;
    let types = programs::types(of.types).ok()?;
    let btf = Btf::parse(types.clone()).ok()?;
    let function = |id: &u32| (TypeId(*id), btf.name(TypeId(*id)).to_owned());
    let functions = of.functions.iter().map(function).filter(|(_, name)| !name.is_empty());
    let functions = functions.map(|(ty, name)| ProgramFunction { program: id, name, ty }).collect();
    Some(Loaded { id, types, functions })
}
