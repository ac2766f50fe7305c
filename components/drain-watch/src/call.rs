//! The call before the wait: one POST, repeated when it fails.

use std::thread;
use std::time::Duration;

use ureq::http::Uri;

use crate::log;
use crate::options::Call;

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The URL as it was given, if this program can call it. Error messages never repeat it: it may hold a password.
pub(crate) fn check_url(url: &str) -> Result<String, &'static str> {
    let uri: Uri = url.parse().map_err(|_| "this is no URL; expected one such as http://127.0.0.1:24444/flush")?;
    match (uri.scheme_str(), uri.host()) {
        (Some("http"), Some(host)) if !host.is_empty() => Ok(url.to_owned()),
        (Some("https"), _) => Err("this program speaks plain HTTP only; give an http:// URL"),
        _ => Err("this is no http:// URL with a host"),
    }
}

/// Sends the POST until the answer is a success or the retries are used up; says on stderr what became of it.
pub(crate) fn post(url: &str, call: &Call) {
    let place = place(url);
    for attempt in 0..=call.retries {
        match attempt_post(url, call.timeout) {
            Ok(status) => return log(format_args!("called {place}: {status}")),
            Err(problem) if attempt < call.retries => {
                let pause = pause_after(attempt);
                log(format_args!("call of {place} failed: {problem}; again in {}", humantime::format_duration(pause)));
                thread::sleep(pause);
            }
            Err(problem) => log(format_args!("call of {place} failed: {problem}; waiting without it")),
        }
    }
}

/// The pause after a failed attempt: doubled each time, up to a limit.
fn pause_after(attempt: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(attempt)).min(LONGEST_PAUSE)
}

fn attempt_post(url: &str, timeout: Duration) -> Result<u16, String> {
    // No proxy: the call goes to a neighbour, and an inherited HTTP_PROXY would send it elsewhere.
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .timeout_global(Some(timeout))
        .build()
        .into();
    let status = agent.post(url).send_empty().map_err(|error| error.to_string())?.status();
    if status.is_success() { Ok(status.as_u16()) } else { Err(format!("answered {}", status.as_u16())) }
}

/// Scheme, host, port and path: what may be logged, without user, password and query.
fn place(url: &str) -> String {
    let uri: Uri = url.parse().unwrap_or_default();
    let port = uri.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("http://{}{port}{}", uri.host().unwrap_or_default(), uri.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_plain_http_with_a_host() {
        for url in ["http://127.0.0.1:24444/flush", "http://[::1]:1/", "http://user:secret@host/x?token=1"] {
            assert_eq!(check_url(url).as_deref(), Ok(url));
        }
        for url in
            ["", "/flush", "localhost:24444", "http://", "http:///x", "https://host/", "ftp://host/", "http://a b/"]
        {
            assert!(check_url(url).is_err(), "{url}");
        }
    }

    #[test]
    fn the_log_shows_no_secrets() {
        assert_eq!(place("http://user:secret@host:81/x?token=1"), "http://host:81/x");
        assert_eq!(place("http://host"), "http://host/");
    }

    #[test]
    fn pauses_double_up_to_a_limit() {
        let pauses: Vec<_> = [0, 1, 2, 6, 99].map(|attempt| pause_after(attempt).as_millis()).into();
        assert_eq!(pauses, [500, 1000, 2000, 30_000, 30_000]);
    }
}
