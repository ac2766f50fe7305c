//! The call before the wait: one POST, repeated when it fails.

use http_call::Attempt;

use crate::log;
use crate::options::Call;

const EXAMPLE: &str = "http://127.0.0.1:24444/flush";

/// The URL as it was given, if this program can call it. Error messages never repeat it: it may hold a password.
pub(crate) fn check_url(url: &str) -> Result<String, String> {
    http_call::check_url(url, EXAMPLE)
}

/// Sends the POST until the answer is a success or the retries are used up; says on stderr what became of it.
pub(crate) fn post(url: &str, call: &Call) {
    let Call { retries, timeout, .. } = *call;
    let call = http_call::Call { url, method: "POST", status: None, retries, timeout };
    call.run(|attempt| match attempt {
        Attempt::GivenUp { .. } => log(format_args!("{attempt}; waiting without it")),
        _ => log(attempt),
    });
}
