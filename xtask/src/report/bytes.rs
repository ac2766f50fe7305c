//! Numbers of bytes for people, in powers of 1024, and what one is against another.

/// Units, largest first.
const UNITS: [(&str, u64); 4] = [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];

/// `1.5 KiB`. Cut off, not rounded: 1023.99 KiB is not 1024.0 KiB.
pub fn iec(bytes: u64) -> String {
    match UNITS.iter().find(|(_, factor)| bytes >= *factor) {
        Some((unit, factor)) => {
            let tenths = u128::from(bytes % factor) * 10 / u128::from(*factor);
            format!("{}.{tenths} {unit}", bytes / factor)
        }
        None => format!("{bytes} B"),
    }
}

/// What became of a number: `-66.7 %`, `+3.0 %`, `same`.
pub fn change(before: u64, after: u64) -> String {
    match tenths(before, after) {
        None if after == 0 => "same".to_owned(),
        None => "from nothing".to_owned(),
        Some(0) => "same".to_owned(),
        Some(tenths) => {
            let sign = if tenths < 0 { '-' } else { '+' };
            let size = tenths.unsigned_abs();
            format!("{sign}{}.{} %", size / 10, size % 10)
        }
    }
}

/// A part of a whole, in percent: `12.5 %`.
pub fn share(part: u64, whole: u64) -> String {
    let tenths = u128::from(part) * 1000 / u128::from(whole.max(1));
    format!("{}.{} %", tenths / 10, tenths % 10)
}

/// The change in tenths of a percent, rounded; nothing when there was nothing before.
fn tenths(before: u64, after: u64) -> Option<i128> {
    let (before, after) = (i128::from(before), i128::from(after));
    let difference = (after - before) * 1000;
    let half = before / 2 * difference.signum();
    (before > 0).then(|| (difference + half) / before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_shown_in_powers_of_1024() {
        let check = |bytes: u64, expect: &str| assert_eq!(iec(bytes), expect);
        check(0, "0 B");
        check(1023, "1023 B");
        check(1024, "1.0 KiB");
        check(1_048_575, "1023.9 KiB");
        check(5 << 29, "2.5 GiB");
        check(u64::MAX, "16777215.9 TiB");
    }

    #[test]
    fn changes_have_a_sign() {
        let check = |before: u64, after: u64, expect: &str| assert_eq!(change(before, after), expect);
        check(3, 1, "-66.7 %");
        check(1000, 1030, "+3.0 %");
        check(7, 7, "same");
        check(0, 0, "same");
        check(0, 1, "from nothing");
        check(u64::MAX, 0, "-100.0 %");
        check(1, 3, "+200.0 %");
    }

    #[test]
    fn shares_of_a_whole() {
        assert_eq!(share(1, 3), "33.3 %");
        assert_eq!(share(0, 0), "0.0 %");
    }
}
