//! Bytes as text.

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Bytes as lowercase hexadecimal, as digests are written.
///
/// ```
/// assert_eq!(groupage::oci::hex(&[0, 171]), "00ab");
/// ```
pub fn hex(bytes: &[u8]) -> String {
    // a plan has one for every file, also when this is compiled without optimisation: no formatting, no iterators
    let mut text = vec![0; bytes.len() * 2];
    let mut at = 0;
    while at < bytes.len() {
        text[at * 2] = DIGITS[(bytes[at] >> 4) as usize];
        text[at * 2 + 1] = DIGITS[(bytes[at] & 15) as usize];
        at += 1;
    }
    String::from_utf8(text).unwrap_or_default()
}
