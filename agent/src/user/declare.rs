//! Parameters of a program's functions, as lists of probes show them: the type, a star for each pointer right behind it, the name.

use bpf::btf::{Btf, Kind, Type, TypeId};

/// The longest chain of pointers and qualifiers written out.
const DEPTH: u32 = 16;

/// A function's parameters in their order.
pub fn parameters(btf: &Btf, function: TypeId) -> Vec<String> {
    let written = |param: bpf::btf::Param<'_>| {
        let ty = name(btf, param.ty, DEPTH);
        if param.name.is_empty() { ty } else { format!("{ty} {}", param.name) }
    };
    btf.params(function).map(written).collect()
}

fn name(btf: &Btf, ty: TypeId, depth: u32) -> String {
    let Some(depth) = depth.checked_sub(1) else { return "..".to_owned() };
    match btf.ty(ty) {
        Some(Type::Ptr(to)) => match btf.ty(to) {
            // A pointer to a function or an array has its name in the middle.
            Some(Type::FuncProto { .. } | Type::Array { .. }) => btf.declaration(ty, ""),
            _ => format!("{}*", name(btf, to, depth)),
        },
        Some(Type::Qualified { of, .. }) if btf.kind(ty) == Some(Kind::Const) => match btf.kind(of) {
            Some(Kind::Ptr) => format!("{} const", name(btf, of, depth)),
            _ => format!("const {}", name(btf, of, depth)),
        },
        Some(Type::Qualified { of, .. }) => name(btf, of, depth),
        _ => btf.declaration(ty, ""),
    }
}

#[cfg(test)]
mod tests {
    use bpf::btf::build::{Builder, NewType};

    use super::*;

    #[test]
    fn a_star_stands_right_behind_the_type() {
        let mut builder = Builder::new();
        let int = builder.add(&NewType::Int { name: "int".into(), bytes: 4, signed: true, boolean: false });
        let character = builder.add(&NewType::Int { name: "char".into(), bytes: 1, signed: true, boolean: false });
        let constant = builder.add(&NewType::Const(character));
        let text = builder.add(&NewType::Ptr(constant));
        let dir = builder.add(&NewType::Fwd { name: "dir".into(), union: false });
        let dir = builder.add(&NewType::Ptr(dir));
        let fixed = builder.add(&NewType::Const(dir));
        let params = [("n", int), ("path", text), ("", dir), ("fixed", fixed)].map(|(name, ty)| (name.to_owned(), ty));
        let proto = builder.add(&NewType::FuncProto { result: int, params: params.into() });
        let function = builder.add(&NewType::Func { name: "open".into(), proto });
        let btf = builder.finish().expect("types");
        assert_eq!(parameters(&btf, function), ["int n", "const char* path", "struct dir*", "struct dir* const fixed"]);
    }
}
