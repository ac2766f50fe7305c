//! Times of health checks, as Go writes them: `1h30m`, `1.5s`, `300ms`.

/// Nanoseconds of a unit.
const UNITS: [(&str, f64); 8] =
    [("ns", 1.0), ("us", 1e3), ("µs", 1e3), ("μs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9)];

/// Nanoseconds of a time; 0 is "as the engine has it".
///
/// # Errors
/// What is wrong with it: it is no time, below zero, or shorter than the millisecond that engines count in.
pub(super) fn duration(text: &str) -> Result<u64, &'static str> {
    const WRONG: &str = "is no time";
    let unsigned = text.strip_prefix('+').unwrap_or(text);
    if unsigned.starts_with('-') {
        return Err("is below zero");
    }
    if unsigned == "0" {
        return Ok(0);
    }
    if unsigned.is_empty() {
        return Err(WRONG);
    }
    let (mut rest, mut sum) = (unsigned, 0.0);
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').len();
        let number: f64 = rest[..digits].parse().map_err(|_| WRONG)?;
        rest = &rest[digits..];
        let letters = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        let (_, nanoseconds) = UNITS.iter().find(|(unit, _)| *unit == &rest[..letters]).ok_or(WRONG)?;
        rest = &rest[letters..];
        sum += number * nanoseconds;
    }
    match sum {
        _ if sum > i64::MAX as f64 => Err("is too long"),
        _ if sum > 0.0 && sum < 1e6 => Err("is shorter than a millisecond"),
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is in range")]
        _ => Ok(sum.round() as u64),
    }
}
