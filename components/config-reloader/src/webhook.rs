//! Webhooks: plain HTTP calls, repeated when they fail.

use std::time::Duration;

use http_call::{Attempt, Call};

use crate::log;
use crate::stats::Stats;

const EXAMPLE: &str = "http://127.0.0.1:9880/reload";

/// What to call, and what counts as success.
#[derive(Debug, PartialEq)]
pub(crate) struct Webhooks {
    pub(crate) urls: Vec<String>,
    pub(crate) method: String,
    /// `None` accepts every answer from 200 to 299.
    pub(crate) status: Option<u16>,
    pub(crate) retries: u32,
    pub(crate) timeout: Duration,
}

impl Default for Webhooks {
    fn default() -> Self {
        Webhooks {
            urls: Vec::new(),
            method: "POST".to_owned(),
            status: None,
            retries: 3,
            timeout: Duration::from_secs(10),
        }
    }
}

/// The URL as it was given, if this program can call it. Error messages never repeat it: it may hold a password.
pub(crate) fn check_url(url: &str) -> Result<String, String> {
    http_call::check_url(url, EXAMPLE)
}

/// Calls every URL in order, also after a failure, and tells whether all succeeded.
pub(crate) fn call_all(webhooks: &Webhooks, stats: &Stats) -> bool {
    let results: Vec<bool> = webhooks.urls.iter().map(|url| call(url, webhooks, stats)).collect();
    results.into_iter().all(|success| success)
}

fn call(url: &str, webhooks: &Webhooks, stats: &Stats) -> bool {
    let &Webhooks { ref method, status, retries, timeout, .. } = webhooks;
    let call = Call { url, method, status, retries, timeout };
    call.run(|attempt| {
        stats.called(matches!(attempt, Attempt::Success { .. }));
        match attempt {
            Attempt::GivenUp { .. } => log(format_args!("{attempt}; no retries left until the next change")),
            _ => log(attempt),
        }
    })
}
