//! Times as Go writes them: `1h30m`, `1.5s`, `300ms`. Health checks have them, in Dockerfiles and in manifests.
//!
//! The grammar is that of Go's [`time.ParseDuration`](https://pkg.go.dev/time#ParseDuration). Go counts decimals in floating
//! point, here they are exact; what is shorter than a nanosecond is dropped by both.

/// Units and their nanoseconds, the shortest first.
pub(crate) const UNITS: [(&str, u64); 8] = [
    ("ns", 1),
    ("µs", 1_000),
    ("μs", 1_000),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Why a text is no time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeError {
    /// It is written in another way.
    Malformed,
    /// Go cannot count so many nanoseconds.
    TooLong,
}

/// Nanoseconds of a time: a sign, then numbers, each with its unit; `0` needs none.
pub(crate) fn parse(text: &str) -> Result<i64, TimeError> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if unsigned == "0" {
        return Ok(0);
    }
    if unsigned.is_empty() {
        return Err(TimeError::Malformed);
    }
    let is_number = |c: char| c.is_ascii_digit() || c == '.';
    let (mut rest, mut sum) = (unsigned, 0_i128);
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|c| !is_number(c)).unwrap_or(rest.len()));
        let (unit, next) = after.split_at(after.find(is_number).unwrap_or(after.len()));
        let (_, unit) = UNITS.iter().find(|(name, _)| *name == unit).ok_or(TimeError::Malformed)?;
        sum = sum.saturating_add(part(number, *unit).ok_or(TimeError::Malformed)?);
        rest = next;
    }
    let sum = if text.starts_with('-') { -sum } else { sum };
    i64::try_from(sum).map_err(|_| TimeError::TooLong)
}

/// `1.5` of a unit.
fn part(number: &str, unit: u64) -> Option<i128> {
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && decimals.is_empty() || decimals.contains('.') {
        return None;
    }
    // further ones are less than a nanosecond of any unit; Go passes over them, too
    let decimals = value(&format!("{decimals:0<18.18}")) * i128::from(unit) / 10_i128.pow(18);
    Some(value(whole).saturating_mul(i128::from(unit)).saturating_add(decimals))
}

/// The value of digits.
fn value(digits: &str) -> i128 {
    digits.bytes().fold(0, |sum: i128, digit| sum.saturating_mul(10).saturating_add(i128::from(digit - b'0')))
}

/// Nanoseconds of a health check's flag; 0 is "as the engine has it".
///
/// # Errors
/// What is wrong with it: it is no time, below zero, or shorter than the millisecond that engines count in.
pub(super) fn duration(text: &str) -> Result<u64, &'static str> {
    match parse(text).map(u64::try_from) {
        Err(TimeError::Malformed) => Err("is no time"),
        Err(TimeError::TooLong) => Err("is too long"),
        Ok(Err(_)) => Err("is below zero"),
        Ok(Ok(1..1_000_000)) => Err("is shorter than a millisecond"),
        Ok(Ok(nanoseconds)) => Ok(nanoseconds),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        let check = |text: &str, expect: Result<i64, TimeError>| assert_eq!(parse(text), expect, "{text}");
        for (text, nanoseconds) in [
            ("0", 0),
            ("-0", 0),
            ("+0", 0),
            ("0s", 0),
            ("7ns", 7),
            ("12us", 12_000),
            ("12µs", 12_000),
            ("12μs", 12_000),
            ("13ms", 13_000_000),
            ("30s", 30_000_000_000),
            ("+5s", 5_000_000_000),
            ("-1.5s", -1_500_000_000),
            ("5.s", 5_000_000_000),
            (".5s", 500_000_000),
            ("1.0040s", 1_004_000_000),
            ("1m30s", 90_000_000_000),
            ("10.5s4m", 250_500_000_000),
            ("2m3.4s", 123_400_000_000),
            ("1.9ns", 1),
            // more digits than floating point has
            ("9007199254740993ns", 9_007_199_254_740_993),
            ("9007199254.740993ms", 9_007_199_254_740_993),
            ("0.830103483285477580700h", 2_988_372_539_827),
            ("0.100000000000000000000000h", 360_000_000_000),
            ("9223372036854775807ns", i64::MAX),
            ("9223372036854775.807us", i64::MAX),
            ("9223372036s854ms775us807ns", i64::MAX),
            ("-9223372036854775808ns", i64::MIN),
        ] {
            check(text, Ok(nanoseconds));
        }
        for text in
            ["", "+", "-", "3", "s", ".", ".s", "-.s", "+-1s", "1.2.3s", "1..5s", "1x", "1s ", " 1s", "1S", "1e3s"]
        {
            check(text, Err(TimeError::Malformed));
        }
        let many = format!("{}s", "9".repeat(60));
        for text in ["9223372036854775808ns", "-9223372036854775809ns", "9999999999h", "2562047h47m17s", &many] {
            check(text, Err(TimeError::TooLong));
        }
    }

    #[test]
    fn flags_of_health_checks() {
        for (text, expect) in [
            ("0", Ok(0)),
            ("-0s", Ok(0)),
            ("1ms", Ok(1_000_000)),
            ("0.9999999ms", Err("is shorter than a millisecond")),
            ("-1ns", Err("is below zero")),
            ("5", Err("is no time")),
            ("9999999999h", Err("is too long")),
        ] {
            assert_eq!(duration(text), expect, "{text}");
        }
    }
}
