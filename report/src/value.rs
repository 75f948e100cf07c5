//! One typed value: a key's component, an assigned value, a printed argument.
//!
//! Values come out of [`crate::decode`] already resolved on the node that saw them: addresses are symbols, ids are
//! names, times are text. So two nodes' values are equal when they mean the same, and nothing here needs the node again.
//! How they look is for [`crate::render`].

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::schema::StackMode;
use crate::wire;

/// A typed value. Ordered as maps sort by key: numbers by size, text by bytes, composites by their first difference.
///
/// On the wire each is an object of one short member, `{"i":-3}` or `{"s":"cat"}`, so that equal-looking values of
/// different types stay apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Value {
    /// A signed integer of any width.
    #[serde(rename = "i")]
    Int(i64),
    /// An unsigned integer of any width.
    #[serde(rename = "u")]
    Uint(u64),
    /// A truth value.
    #[serde(rename = "b")]
    Bool(bool),
    /// An address nobody asked to resolve.
    #[serde(rename = "p")]
    Pointer(u64),
    /// A C string, without its NUL.
    #[serde(rename = "s")]
    Str(Text),
    /// What `buf()` took.
    #[serde(rename = "x", with = "wire::hex")]
    Buf(Vec<u8>),
    /// An IP address.
    #[serde(rename = "ip")]
    Inet(IpAddr),
    /// A link-layer address.
    #[serde(rename = "mac")]
    Mac([u8; 6]),
    /// A kernel or user symbol.
    #[serde(rename = "sym")]
    Symbol(String),
    /// A kernel or user stack.
    #[serde(rename = "st")]
    Stack(Stack),
    /// An integer with the name of the enum variant it equals, where one does.
    #[serde(rename = "e")]
    Enum {
        /// The number.
        #[serde(rename = "n")]
        value: i64,
        /// The variant's name.
        #[serde(rename = "v", default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
    /// A formatted wall-clock time.
    #[serde(rename = "t")]
    Timestamp(String),
    /// A user's name.
    #[serde(rename = "user")]
    Username(String),
    /// A cgroup's path.
    #[serde(rename = "cg")]
    CgroupPath(String),
    /// A member of a struct that the language has no values of.
    #[serde(rename = "z")]
    Nothing(()),
    /// Elements of one type.
    #[serde(rename = "a")]
    Array(Vec<Value>),
    /// Components of any types.
    #[serde(rename = "tup")]
    Tuple(Vec<Value>),
    /// Named components, in their declared order.
    #[serde(rename = "rec")]
    Record(Vec<(String, Value)>),
}

impl Value {
    /// The number this value is in arithmetic and sorting: of integers, truth values, pointers and enums; else `None`.
    pub fn as_number(&self) -> Option<i128> {
        match self {
            Value::Int(n) => Some(i128::from(*n)),
            Value::Uint(n) | Value::Pointer(n) => Some(i128::from(*n)),
            Value::Bool(b) => Some(i128::from(*b)),
            Value::Enum { value, .. } => Some(i128::from(*value)),
            _ => None,
        }
    }
}

impl From<i64> for Value {
    fn from(n: i64) -> Self {
        Value::Int(n)
    }
}

impl From<u64> for Value {
    fn from(n: u64) -> Self {
        Value::Uint(n)
    }
}

impl From<&str> for Value {
    fn from(s: &str) -> Self {
        Value::Str(Text::from(s))
    }
}

/// A symbolised stack, innermost frame first.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Stack {
    /// How the frames were asked to look; decides their indentation.
    #[serde(rename = "m", default, skip_serializing_if = "is_default_mode")]
    pub mode: StackMode,
    /// One line each, without indentation: `symbol+offset`, or what [`StackMode`] says.
    #[serde(rename = "f")]
    pub frames: Vec<String>,
}

fn is_default_mode(mode: &StackMode) -> bool {
    *mode == StackMode::default()
}

impl From<Vec<String>> for Stack {
    fn from(frames: Vec<String>) -> Self {
        Stack { mode: StackMode::default(), frames }
    }
}

/// Bytes that are usually UTF-8 text, but need not be: the kernel's strings have no encoding.
///
/// On the wire: a JSON string when the bytes are UTF-8, else `{"hex":"ff00.."}`, so nothing is lost.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(pub Vec<u8>);

impl Text {
    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// As UTF-8, with U+FFFD for what is not.
    pub fn to_str_lossy(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_str_lossy())
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

impl From<&str> for Text {
    fn from(s: &str) -> Self {
        Text(s.as_bytes().to_vec())
    }
}

impl From<String> for Text {
    fn from(s: String) -> Self {
        Text(s.into_bytes())
    }
}

impl From<Vec<u8>> for Text {
    fn from(bytes: Vec<u8>) -> Self {
        Text(bytes)
    }
}
