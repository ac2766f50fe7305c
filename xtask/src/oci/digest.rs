//! Digests: the names of stored bytes.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

use super::hex;

/// `sha256:` and 64 lowercase hexadecimal digits: the name of stored bytes.
/// <https://github.com/opencontainers/image-spec/blob/main/descriptor.md#digests>
///
/// Only SHA-256 is taken: it is the one algorithm that every registry and engine speaks, and what cannot be checked is not
/// used.
///
/// ```
/// use groupage::oci::Digest;
/// let empty = Digest::of(b"");
/// assert_eq!(empty.to_string(), "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
/// assert_eq!(empty.to_string().parse::<Digest>().unwrap(), empty);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Digest {
    hex: String,
}

/// Digest of a layer before compression. A type of its own: it never names what a registry stores.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DiffId(pub Digest);

/// Why a text is not a digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a digest; it has the form `sha256:` and 64 lowercase hexadecimal digits")]
pub struct DigestError(String);

impl Digest {
    /// The digest of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self { hex: hex(&Sha256::digest(bytes)) }
    }

    /// The 64 digits, without `sha256:`.
    pub fn hex(&self) -> &str {
        &self.hex
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let digits = text.strip_prefix("sha256:").filter(|hex| hex.len() == 64);
        let digits = digits.filter(|hex| hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)));
        let hex = digits.ok_or_else(|| DigestError(text.chars().take(128).collect()))?;
        Ok(Self { hex: hex.to_owned() })
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "sha256:{}", self.hex)
    }
}

impl fmt::Display for DiffId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl serde::Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Computes a digest piece by piece, with the instructions that the machine has for it.
#[derive(Debug, Clone, Default)]
pub struct Hasher {
    state: Sha256,
    size: u64,
}

impl Hasher {
    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.state.update(bytes);
        self.size += bytes.len() as u64;
    }

    /// How many bytes were taken so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The digest, and how many bytes it is of.
    pub fn finish(self) -> (Digest, u64) {
        (Digest { hex: hex(&self.state.finalize()) }, self.size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_lowercase_sha256_is_taken() {
        let check = |text: &str, expect: bool| assert_eq!(text.parse::<Digest>().is_ok(), expect, "{text}");
        let digits = "0123456789abcdef".repeat(4);
        check(&format!("sha256:{digits}"), true);
        check(&format!("sha256:{}", digits.to_uppercase()), false);
        check(&format!("sha256:{}", &digits[1..]), false);
        check(&format!("sha512:{digits}{digits}"), false);
        check(&digits, false);
        check("sha256:../../../../../../../etc/passwd00000000000000000000000000000000000", false);
    }

    #[test]
    fn pieces_do_not_matter() {
        let mut hasher = Hasher::default();
        [b"ab".as_slice(), b"", b"c"].iter().for_each(|piece| hasher.update(piece));
        assert_eq!(hasher.finish(), (Digest::of(b"abc"), 3));
    }
}
