//! How the few things JSON cannot say go over the wire: bytes, integers beyond 64 bits, maps whose keys are not text.
//!
//! Everything here survives any self-describing serde format, and being buffered inside a tagged enum.

use std::fmt;

use serde::de::{self, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::value::Text;

/// Bytes as lower-case hexadecimal.
pub(crate) mod hex {
    use super::*;

    pub(crate) fn encode(bytes: &[u8]) -> String {
        bytes.iter().map(|b| format!("{b:02x}")).collect()
    }

    pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
        let digit = |c: &u8| char::from(*c).to_digit(16).and_then(|d| u8::try_from(d).ok());
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if !rest.is_empty() {
            return None;
        }
        pairs.iter().map(|[high, low]| Some(digit(high)? << 4 | digit(low)?)).collect()
    }

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&encode(bytes))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(from)?;
        decode(&text).ok_or_else(|| de::Error::invalid_value(de::Unexpected::Str(&text), &"hexadecimal bytes"))
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(&self.0) {
            Ok(text) => to.serialize_str(text),
            Err(_) => {
                let mut map = to.serialize_map(Some(1))?;
                map.serialize_entry("hex", &hex::encode(&self.0))?;
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct TextVisitor;

        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string, or an object with the member `hex`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text, E> {
                Ok(Text::from(text))
            }

            fn visit_string<E: de::Error>(self, text: String) -> Result<Text, E> {
                Ok(Text::from(text))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Text, A::Error> {
                let Some((name, digits)) = map.next_entry::<String, String>()? else {
                    return Err(de::Error::missing_field("hex"));
                };
                if name != "hex" {
                    return Err(de::Error::unknown_field(&name, &["hex"]));
                }
                hex::decode(&digits)
                    .map(Text)
                    .ok_or_else(|| de::Error::invalid_value(de::Unexpected::Str(&digits), &"hexadecimal bytes"))
            }
        }

        from.deserialize_any(TextVisitor)
    }
}

/// A 128-bit integer: a number while it fits 64 bits, decimal text beyond.
pub(crate) mod wide {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(n: &i128, to: S) -> Result<S::Ok, S::Error> {
        match (i64::try_from(*n), u64::try_from(*n)) {
            (Ok(small), _) => to.serialize_i64(small),
            (_, Ok(unsigned)) => to.serialize_u64(unsigned),
            _ => to.collect_str(n),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<i128, D::Error> {
        struct WideVisitor;

        impl Visitor<'_> for WideVisitor {
            type Value = i128;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an integer, or one in decimal text")
            }

            fn visit_i64<E: de::Error>(self, n: i64) -> Result<i128, E> {
                Ok(i128::from(n))
            }

            fn visit_u64<E: de::Error>(self, n: u64) -> Result<i128, E> {
                Ok(i128::from(n))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<i128, E> {
                text.parse().map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }

        from.deserialize_any(WideVisitor)
    }
}

/// An optional [`wide`] integer.
pub(crate) mod wide_option {
    use super::*;

    #[derive(Serialize, Deserialize)]
    #[serde(transparent)]
    struct Wide(#[serde(with = "wide")] i128);

    pub(crate) fn serialize<S: Serializer>(n: &Option<i128>, to: S) -> Result<S::Ok, S::Error> {
        n.map(Wide).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i128>, D::Error> {
        Ok(Option::<Wide>::deserialize(from)?.map(|wide| wide.0))
    }
}

/// An ordered map as a list of pairs.
pub(crate) mod pairs {
    use super::*;
    use std::collections::BTreeMap;

    pub(crate) fn serialize<S, K, V>(map: &BTreeMap<K, V>, to: S) -> Result<S::Ok, S::Error>
    where
        S: Serializer,
        K: Serialize,
        V: Serialize,
    {
        to.collect_seq(map)
    }

    pub(crate) fn deserialize<'de, D, K, V>(from: D) -> Result<BTreeMap<K, V>, D::Error>
    where
        D: Deserializer<'de>,
        K: Deserialize<'de> + Ord,
        V: Deserialize<'de>,
    {
        Ok(Vec::<(K, V)>::deserialize(from)?.into_iter().collect())
    }
}
