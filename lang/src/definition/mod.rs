//! C definitions of the script: `struct`, `union`, `enum` and `typedef` in, types with their layout out.
//!
//! Layout follows the System V ABI of 64-bit machines, little-endian: every integer is aligned to its size, bit-fields fill the
//! unit of their type from its lowest bit. `__attribute__((packed))` aligns to bytes. Types that are not defined before they are
//! named are looked up among the kernel's.

mod layout;
mod tokens;

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use crate::ast::Preamble;
use crate::ctype::{self, Source, StructType};
use crate::types::{EnumType, Space, Ty};
use layout::Layouter;
use tokens::Tokens;

/// The most members, constants and nested definitions read of one definition.
const MOST: usize = 4096;
/// How deep definitions may nest.
const DEPTH: u32 = 16;

/// What a script defines.
#[derive(Debug, Default)]
pub struct Definitions {
    /// By `struct name`, `union name`, `enum name` or a typedef's name.
    types: HashMap<String, Ty>,
    /// Constants of enums.
    constants: HashMap<String, (i64, Ty)>,
}

/// Where else a type may be described: by `struct name` and its kin, or a plain name.
pub type Elsewhere<'a> = dyn FnMut(&str) -> Option<Ty> + 'a;

impl Definitions {
    /// A type by its full name.
    pub fn ty(&self, name: &str) -> Option<Ty> {
        self.types.get(name).cloned()
    }

    /// An enum's constant.
    pub fn constant(&self, name: &str) -> Option<(i64, Ty)> {
        self.constants.get(name).cloned()
    }

    /// Reads one definition, from its keyword to its semicolon. What is wrong with it otherwise.
    pub fn read(&mut self, text: &str, elsewhere: &mut Elsewhere<'_>) -> Result<(), String> {
        let mut tokens = Tokens::new(text);
        let mut reader = Reader { definitions: self, elsewhere, depth: DEPTH };
        if tokens.take("typedef") {
            let base = reader.specifier(&mut tokens)?;
            let (name, ty) = reader.declarator(&mut tokens, base)?;
            reader.definitions.types.insert(name, ty);
        } else {
            reader.specifier(&mut tokens)?;
        }
        if tokens.peek().is_some() { tokens.expect(";") } else { Ok(()) }
    }
}

/// Whether definitions name structs, unions or enums that none of them defines, so that the kernel's types are wanted.
pub fn holds_undefined(preamble: &[Preamble]) -> bool {
    let mut defined = BTreeSet::new();
    let mut named = BTreeSet::new();
    for item in preamble {
        let Preamble::Definition(text) = item else { continue };
        let mut tokens = Tokens::new(&text.node);
        while let Some(word) = tokens.next() {
            if !matches!(word, "struct" | "union" | "enum") {
                continue;
            }
            let Some(name) = tokens.next() else { break };
            let set = if tokens.peek() == Some("{") { &mut defined } else { &mut named };
            set.insert(name);
        }
    }
    named.iter().any(|name| !defined.contains(name))
}

struct Reader<'d, 'e> {
    definitions: &'d mut Definitions,
    elsewhere: &'d mut Elsewhere<'e>,
    depth: u32,
}

impl Reader<'_, '_> {
    /// A type as it stands before the name of what it is the type of.
    fn specifier(&mut self, tokens: &mut Tokens<'_>) -> Result<Ty, String> {
        tokens.skip_qualifiers();
        for keyword in ["struct", "union", "enum"] {
            if tokens.take(keyword) {
                return self.tagged(keyword, tokens);
            }
        }
        let mut words = vec![tokens.word().ok_or("a type is expected")?];
        while let Some(word) = tokens.peek().filter(|w| INTEGER_WORDS.contains(w)) {
            words.push(word);
            tokens.next();
        }
        tokens.skip_qualifiers();
        let name = words.join(" ");
        match name.as_str() {
            "void" => return Ok(Ty::Void),
            "bool" | "_Bool" => return Ok(Ty::Bool),
            "float" => return Ok(fraction("float", 4)),
            "double" => return Ok(fraction("double", 8)),
            "long double" => return Ok(fraction("long double", 16)),
            _ => {}
        }
        let known = ctype::integer(&name).or_else(|| self.definitions.ty(&name)).or_else(|| (self.elsewhere)(&name));
        known.ok_or_else(|| format!("the type `{name}` is not known"))
    }

    fn tagged(&mut self, keyword: &str, tokens: &mut Tokens<'_>) -> Result<Ty, String> {
        let mut packed = tokens.attributes();
        let tag = tokens.word().map(str::to_owned);
        packed |= tokens.attributes();
        let name = tag.as_ref().map(|tag| format!("{keyword} {tag}"));
        if !tokens.take("{") {
            let name = name.ok_or("a name or a body is expected")?;
            let known = self.definitions.ty(&name).or_else(|| (self.elsewhere)(&name));
            return Ok(
                known.unwrap_or_else(|| Ty::Struct(StructType { name: name.into(), size: 0, source: Source::Named }))
            );
        }
        self.depth = self.depth.checked_sub(1).ok_or("definitions nest too deep")?;
        let ty = match keyword {
            "enum" => self.enum_body(tag.unwrap_or_default(), tokens)?,
            _ => self.struct_body(keyword, tag.unwrap_or_default(), packed, tokens)?,
        };
        self.depth += 1;
        if let Some(name) = name {
            self.definitions.types.insert(name, ty.clone());
        }
        Ok(ty)
    }

    fn enum_body(&mut self, tag: String, tokens: &mut Tokens<'_>) -> Result<Ty, String> {
        let mut variants: Vec<(i64, String)> = vec![];
        let mut next = 0i64;
        while !tokens.take("}") {
            let name = tokens.word().ok_or("the name of a constant is expected")?.to_owned();
            if tokens.take("=") {
                next = self.constant(tokens)?;
            }
            variants.push((next, name));
            next = next.wrapping_add(1);
            if variants.len() > MOST {
                return Err("it has too many constants".into());
            }
            if !tokens.take(",") {
                tokens.expect("}")?;
                break;
            }
        }
        let signed = variants.iter().any(|(value, _)| *value < 0);
        let wide = variants.iter().any(|(value, _)| !(i64::from(i32::MIN)..=i64::from(u32::MAX)).contains(value));
        let ty = Ty::Enum(Rc::new(EnumType {
            name: tag,
            bytes: if wide { 8 } else { 4 },
            signed,
            variants: variants.clone(),
            text: false,
        }));
        for (value, name) in variants {
            self.definitions.constants.insert(name, (value, ty.clone()));
        }
        Ok(ty)
    }

    /// A number, or a constant defined before, perhaps negative.
    fn constant(&mut self, tokens: &mut Tokens<'_>) -> Result<i64, String> {
        let negative = tokens.take("-");
        let word = tokens.next().ok_or("a number is expected")?;
        let value = crate::check::parse_integer(word)
            .or_else(|| self.definitions.constant(word).map(|(value, _)| value))
            .ok_or_else(|| format!("`{word}` is not a number"))?;
        Ok(if negative { value.wrapping_neg() } else { value })
    }

    fn struct_body(&mut self, keyword: &str, tag: String, packed: bool, tokens: &mut Tokens<'_>) -> Result<Ty, String> {
        let mut layouter = Layouter::new(keyword == "union");
        while !tokens.take("}") {
            let base = self.specifier(tokens)?;
            if tokens.take(";") {
                // Members of an anonymous struct are members of what it stands in.
                layouter.anonymous(&base)?;
                continue;
            }
            loop {
                let (name, ty) = self.declarator(tokens, base.clone())?;
                if tokens.take(":") {
                    let width = self.constant(tokens)?;
                    layouter.bits(name, ty, u8::try_from(width).map_err(|_| "a bit-field is too wide")?)?;
                } else {
                    layouter.member(name, ty)?;
                }
                if layouter.len() > MOST {
                    return Err("it has too many members".into());
                }
                if !tokens.take(",") {
                    break;
                }
            }
            // C compilers let the last member go without.
            if tokens.peek() != Some("}") {
                tokens.expect(";")?;
            }
        }
        let packed = packed | tokens.attributes();
        let (members, size, align) = layouter.finish(packed);
        let name = format!("{keyword} {tag}").into();
        Ok(Ty::Struct(StructType { name, size, source: Source::Script { members: members.into(), align } }))
    }

    /// `*name[length]` and its kin behind a type; a bit-field may have no name.
    fn declarator(&mut self, tokens: &mut Tokens<'_>, base: Ty) -> Result<(String, Ty), String> {
        let mut ty = base;
        while tokens.take("*") {
            tokens.skip_qualifiers();
            ty = Ty::Pointer { to: Rc::new(ty), space: Space::Any };
        }
        if tokens.take("(") {
            return self.function_pointer(tokens);
        }
        let name = tokens.word().unwrap_or_default().to_owned();
        let mut lengths = vec![];
        while tokens.take("[") {
            let length = if tokens.peek() == Some("]") { 0 } else { self.constant(tokens)? };
            lengths.push(u32::try_from(length).map_err(|_| "an array's length is negative or too large")?);
            tokens.expect("]")?;
        }
        for len in lengths.into_iter().rev() {
            let character = ty == Ty::Int { bytes: 1, signed: true };
            ty = if character && len > 0 { Ty::Str { size: len } } else { Ty::Array { element: Rc::new(ty), len } };
        }
        tokens.attributes();
        Ok((name, ty))
    }

    /// `(*name)(parameters)`, of which only the address is of use.
    fn function_pointer(&mut self, tokens: &mut Tokens<'_>) -> Result<(String, Ty), String> {
        tokens.expect("*")?;
        let name = tokens.word().unwrap_or_default().to_owned();
        tokens.expect(")")?;
        tokens.expect("(")?;
        tokens.skip_to_close();
        Ok((name, Ty::Pointer { to: Rc::new(Ty::Void), space: Space::Any }))
    }
}

/// A number with a fraction: the language has no values of it, but it takes its place in a struct.
fn fraction(name: &str, size: u32) -> Ty {
    Ty::Struct(StructType { name: name.into(), size, source: Source::Nowhere })
}

/// Words that may follow the first of a type of number.
const INTEGER_WORDS: [&str; 6] = ["int", "long", "short", "char", "unsigned", "double"];

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Definitions {
        let mut definitions = Definitions::default();
        definitions.read(text, &mut |_| None).unwrap();
        definitions
    }

    fn members(ty: &Ty) -> Vec<(String, u32)> {
        match ty {
            Ty::Struct(StructType { source: Source::Script { members, .. }, .. }) => {
                members.iter().map(|m| (m.name.clone(), m.place.offset)).collect()
            }
            other => panic!("not a struct: {other}"),
        }
    }

    #[test]
    fn members_are_aligned_as_in_c() {
        let found = read("struct a { char c; int i; short s[3]; void *p; char name[5]; };").ty("struct a").unwrap();
        let expected = [("c", 0), ("i", 4), ("s", 8), ("p", 16), ("name", 24)];
        assert_eq!(members(&found), expected.map(|(name, offset)| (name.to_owned(), offset)));
        assert_eq!(found.size_in_c(), 32);
    }

    #[test]
    fn a_union_begins_with_each_member() {
        let found = read("union u { uint64_t a; struct { int x; int y; }; };").ty("union u").unwrap();
        assert_eq!(members(&found), [("a", 0), ("x", 0), ("y", 4)].map(|(name, offset)| (name.to_owned(), offset)));
        assert_eq!(found.size_in_c(), 8);
    }

    #[test]
    fn a_packed_struct_has_no_gaps() {
        let found = read("struct p { char c; long l; } __attribute__((packed));").ty("struct p").unwrap();
        assert_eq!(members(&found), [("c".to_owned(), 0), ("l".to_owned(), 1)]);
        assert_eq!(found.size_in_c(), 9);
    }

    #[test]
    fn a_struct_may_point_to_its_own_kind_but_not_hold_it() {
        assert_eq!(read("struct n { struct n *next; int v; };").ty("struct n").unwrap().size_in_c(), 16);
        assert!(Definitions::default().read("struct n { struct n next; };", &mut |_| None).is_err());
    }

    #[test]
    fn a_number_with_a_fraction_takes_its_place() {
        let found = read("struct f { char c; float f; long double d[2]; int i; };").ty("struct f").unwrap();
        let expected = [("c", 0), ("f", 4), ("d", 16), ("i", 48)];
        assert_eq!(members(&found), expected.map(|(name, offset)| (name.to_owned(), offset)));
    }

    #[test]
    fn constants_count_on() {
        let definitions = read("enum e { A, B = 5, C, D = -1 };");
        let values = ["A", "B", "C", "D"].map(|name| definitions.constant(name).unwrap().0);
        assert_eq!(values, [0, 5, 6, -1]);
    }

    #[test]
    fn what_is_no_definition_is_said_so() {
        let mut definitions = Definitions::default();
        for text in
            ["struct a { nothing b; };", "struct a { int", "struct {", "enum e { 5 };", "struct a { int b[-1]; };"]
        {
            assert!(definitions.read(text, &mut |_| None).is_err(), "{text}");
        }
    }
}
