//! Bytes as text.

/// Bytes as lowercase hexadecimal, as digests are written.
///
/// ```
/// assert_eq!(groupage::oci::hex(&[0, 171]), "00ab");
/// ```
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
