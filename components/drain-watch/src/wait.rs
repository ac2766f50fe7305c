//! Looks again and again, and decides.

use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use humantime::format_duration;

use crate::buffer::{self, Data, Unreadable};
use crate::log;
use crate::options::Options;

const TIMEOUT: u8 = 3;
/// A state is repeated this often, so that a long drain does not look like a hung program.
const REMIND: Duration = Duration::from_secs(10);

/// Waits until the directories are drained, or the timeout has passed.
pub(crate) fn until_drained(options: &Options) -> ExitCode {
    let start = Instant::now();
    if let Err(Unreadable { dir, cause }) = buffer::look(&options.dirs, &options.ignore) {
        log(format_args!("error: failed to read {dir:?}: {cause}\n  hint: mount the buffer volume there, readable"));
        return ExitCode::FAILURE;
    }
    #[cfg(feature = "http")]
    if let Some(url) = &options.call.url {
        crate::call::post(url, &options.call);
    }
    let mut quiet = Quiet::new(options.quiet_period);
    let mut reporter = Reporter::default();
    loop {
        let state = buffer::look(&options.dirs, &options.ignore);
        let now = start.elapsed();
        reporter.report(&state, now);
        let left = quiet.left(now, matches!(state, Ok(data) if data.files == 0));
        if left.is_zero() {
            log(format_args!("drained: no data for {}", format_duration(options.quiet_period)));
            return ExitCode::SUCCESS;
        }
        let until_timeout = options.timeout.map_or(Duration::MAX, |timeout| timeout.saturating_sub(now));
        if until_timeout.is_zero() {
            log(format_args!("timeout: not drained after {}", format_duration(options.timeout.unwrap_or_default())));
            return ExitCode::from(TIMEOUT);
        }
        thread::sleep(options.interval.min(left).min(until_timeout));
    }
}

/// How long there has been no data.
struct Quiet {
    period: Duration,
    since: Option<Duration>,
}

impl Quiet {
    fn new(period: Duration) -> Self {
        Quiet { period, since: None }
    }

    /// How much of the quiet period is left after a look at `now`; zero means drained.
    fn left(&mut self, now: Duration, empty: bool) -> Duration {
        if !empty {
            self.since = None;
            // At least a moment, also when the quiet period is zero: data is not quiet.
            return self.period.max(Duration::from_millis(1));
        }
        let since = *self.since.get_or_insert(now);
        (since + self.period).saturating_sub(now)
    }
}

/// Logs a change between empty, data and unreadable at once, and the state now and then.
#[derive(Default)]
struct Reporter {
    last: Option<(u8, Duration)>,
}

impl Reporter {
    fn report(&mut self, state: &Result<Data, Unreadable>, now: Duration) {
        let (kind, text) = match state {
            Ok(Data { files: 0, .. }) => (0, "no data; waiting for the quiet period to pass".to_owned()),
            Ok(Data { files, bytes }) => (1, format!("data left: {bytes} bytes in {files} files")),
            Err(Unreadable { dir, cause }) => (2, format!("failed to read {dir:?}: {cause}; this counts as data")),
        };
        if self.last.is_none_or(|(last, at)| last != kind || now.saturating_sub(at) >= REMIND) {
            self.last = Some((kind, now));
            log(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks at one second intervals, `true` for empty; the expected index is the look that says drained.
    fn check(period: u64, looks: &[bool], expected: Option<usize>) {
        let mut quiet = Quiet::new(Duration::from_secs(period));
        let drained =
            (0_u64..).zip(looks).position(|(now, empty)| quiet.left(Duration::from_secs(now), *empty).is_zero());
        assert_eq!(drained, expected, "{looks:?}");
    }

    #[test]
    fn drained_means_empty_for_the_whole_period() {
        check(3, &[true, true, true, true], Some(3));
        check(3, &[true, true, true], None);
        check(2, &[false, true, true, true], Some(3));
        check(2, &[true, true, false, true, true, true], Some(5));
        check(0, &[false, false, true], Some(2));
        check(0, &[true], Some(0));
    }
}
