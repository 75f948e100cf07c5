//! One conversion and its argument to bytes.
//!
//! C's rules, apart from where zeros go: `%05d` of -5 is `000-5`, as bpftrace prints it.

use super::{Conversion, Length, Spec, Takes};
use crate::gfp;
use crate::render::text;
use crate::value::Value;

impl Spec {
    /// Prints one argument.
    pub fn render(&self, arg: &Value) -> Vec<u8> {
        let text = match (self.conversion.takes(), arg, arg.as_number()) {
            (Takes::Buffer, Value::Buf(bytes), _) => self.buffer(bytes).into_bytes(),
            (Takes::Number, _, Some(n)) => return self.number(n),
            (Takes::Number, _, None) => format!("!{{invalid integer conversion: {}}}", text::value(arg)).into_bytes(),
            _ => {
                let mut bytes = text::value_bytes(arg);
                bytes.truncate(self.precision.map_or(usize::MAX, usize::from));
                bytes
            }
        };
        self.pad(text, b' ')
    }

    fn buffer(&self, bytes: &[u8]) -> String {
        match self.conversion {
            Conversion::BufferEscaped => bytes.iter().map(|b| format!("\\x{b:02x}")).collect(),
            Conversion::BufferHex => bytes.iter().map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(" "),
            _ => text::buffer(bytes),
        }
    }

    fn number(&self, n: i128) -> Vec<u8> {
        let (sign, prefix, digits) = match self.conversion {
            Conversion::Char => return self.pad(vec![n as u8], b' '),
            Conversion::GfpFlags => return self.pad(gfp::names(self.unsigned(n)).into_bytes(), b' '),
            Conversion::Signed => {
                let n = self.signed(n);
                (self.sign(n), "", n.unsigned_abs().to_string())
            }
            Conversion::Octal => ("", self.base(n, "0"), format!("{:o}", self.unsigned(n))),
            Conversion::Hex => ("", self.base(n, "0x"), format!("{:x}", self.unsigned(n))),
            Conversion::HexUpper => ("", self.base(n, "0X"), format!("{:X}", self.unsigned(n))),
            Conversion::Pointer if n == 0 => ("", "", "0".to_owned()),
            Conversion::Pointer => ("", "0x", format!("{:x}", n as u64)),
            _ => ("", "", self.unsigned(n).to_string()),
        };
        let least_digits = match self.precision {
            Some(precision) => usize::from(precision),
            None if self.pads_with_zeros() && !prefix.is_empty() => {
                usize::from(self.width).saturating_sub(prefix.len())
            }
            None => 0,
        };
        let zeros = "0".repeat(least_digits.saturating_sub(digits.len()));
        let fill = if self.pads_with_zeros() && self.precision.is_none() { b'0' } else { b' ' };
        self.pad(format!("{sign}{prefix}{zeros}{digits}").into_bytes(), fill)
    }

    fn pads_with_zeros(&self) -> bool {
        self.flags.zero && !self.flags.left
    }

    fn signed(&self, n: i128) -> i64 {
        match self.length {
            Length::Char => i64::from(n as i8),
            Length::Short => i64::from(n as i16),
            Length::Int => i64::from(n as i32),
            Length::Long => n as i64,
        }
    }

    fn unsigned(&self, n: i128) -> u64 {
        match self.length {
            Length::Char => u64::from(n as u8),
            Length::Short => u64::from(n as u16),
            Length::Int => u64::from(n as u32),
            Length::Long => n as u64,
        }
    }

    fn sign(&self, n: i64) -> &'static str {
        match (n < 0, self.flags.plus, self.flags.space) {
            (true, _, _) => "-",
            (false, true, _) => "+",
            (false, false, true) => " ",
            (false, false, false) => "",
        }
    }

    fn base(&self, n: i128, prefix: &'static str) -> &'static str {
        if self.flags.alternate && self.unsigned(n) != 0 { prefix } else { "" }
    }

    fn pad(&self, text: Vec<u8>, fill: u8) -> Vec<u8> {
        let missing = usize::from(self.width).saturating_sub(text.len());
        if self.flags.left { [text, vec![b' '; missing]].concat() } else { [vec![fill; missing], text].concat() }
    }
}
