//! Sizes as docker and cargo users write and read them.

/// Units and their bytes: powers of 1000 as docker has them, and of 1024 with an `i`.
const UNITS: &[(&str, u64)] = &[
    ("b", 1),
    ("kb", 1000),
    ("k", 1000),
    ("mb", 1_000_000),
    ("m", 1_000_000),
    ("gb", 1_000_000_000),
    ("g", 1_000_000_000),
    ("tb", 1_000_000_000_000),
    ("t", 1_000_000_000_000),
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
];

/// `2GB`, `1.5 GiB`, `500kB`, `0`: a number of bytes. Without a unit it counts bytes.
pub(super) fn parse(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = (&text[..end], text[end..].trim().to_ascii_lowercase());
    let factor = match unit.as_str() {
        "" => Some(1),
        unit => UNITS.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let bytes = factor.filter(|_| !whole.is_empty() && fraction.len() <= 9).and_then(|factor| {
        let whole = whole.parse::<u64>().ok()?.checked_mul(factor)?;
        let scale = 10u128.pow(u32::try_from(fraction.len()).ok()?);
        let part = if fraction.is_empty() { 0 } else { fraction.parse::<u128>().ok()? * u128::from(factor) / scale };
        whole.checked_add(u64::try_from(part).ok()?)
    });
    bytes.ok_or_else(|| "write a number with a unit, such as 500MB, 2GB or 1.5GiB".to_owned())
}

/// A number of bytes for people, in powers of 1000.
pub(super) fn text(bytes: u64) -> String {
    let units = [("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1000)];
    match units.iter().find(|(_, factor)| bytes >= *factor) {
        // cut off, not rounded: 999.99 MB is not 1000.0 MB
        Some((unit, factor)) => format!("{}.{} {unit}", bytes / factor, bytes % factor * 10 / factor),
        None => format!("{bytes} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        let check = |text: &str, expect: Option<u64>| assert_eq!(parse(text).ok(), expect, "{text}");
        check("0", Some(0));
        check("12", Some(12));
        check("12B", Some(12));
        check("1kB", Some(1000));
        check("1KB", Some(1000));
        check("1KiB", Some(1024));
        check("2GB", Some(2_000_000_000));
        check("1.5 GiB", Some(1_610_612_736));
        check("500mb", Some(500_000_000));
        check("16000000TiB", Some(16_000_000 << 40));
        ["", "GB", "-1GB", "1XB", "1.2.3GB", "1e3", "99999999TiB", ".5GB", "1 2GB"]
            .iter()
            .for_each(|text| check(text, None));
    }

    #[test]
    fn sizes_are_shown() {
        let check = |bytes: u64, expect: &str| assert_eq!(super::text(bytes), expect);
        check(0, "0 B");
        check(999, "999 B");
        check(1000, "1.0 kB");
        check(999_999, "999.9 kB");
        check(12_345_678, "12.3 MB");
        check(2_000_000_000, "2.0 GB");
    }
}
