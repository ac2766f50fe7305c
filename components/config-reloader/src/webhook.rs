//! Webhooks: plain HTTP calls, repeated when they fail.

use std::thread;
use std::time::Duration;

use ureq::http::{Request, Uri};

use crate::log;
use crate::stats::Stats;

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

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
pub(crate) fn check_url(url: &str) -> Result<String, &'static str> {
    let uri: Uri = url.parse().map_err(|_| "this is no URL; expected one such as http://127.0.0.1:9880/reload")?;
    match (uri.scheme_str(), uri.host()) {
        (Some("http"), Some(host)) if !host.is_empty() => Ok(url.to_owned()),
        (Some("https"), _) => Err("this program speaks plain HTTP only; give an http:// URL"),
        _ => Err("this is no http:// URL with a host"),
    }
}

/// Calls every URL in order, also after a failure, and tells whether all succeeded.
pub(crate) fn call_all(webhooks: &Webhooks, stats: &Stats) -> bool {
    let results: Vec<bool> = webhooks.urls.iter().map(|url| call(url, webhooks, stats)).collect();
    results.into_iter().all(|success| success)
}

fn call(url: &str, webhooks: &Webhooks, stats: &Stats) -> bool {
    let place = place(url);
    for attempt in 0..=webhooks.retries {
        let result = attempt_call(url, webhooks);
        stats.called(result.is_ok());
        match result {
            Ok(status) => {
                log(format_args!("called {place}: {status}"));
                return true;
            }
            Err(problem) if attempt < webhooks.retries => {
                let pause = pause_after(attempt);
                log(format_args!("call of {place} failed: {problem}; again in {}", humantime::format_duration(pause)));
                thread::sleep(pause);
            }
            Err(problem) => {
                log(format_args!("call of {place} failed: {problem}; no retries left until the next change"))
            }
        }
    }
    false
}

/// The pause after a failed attempt: doubled each time, up to a limit.
fn pause_after(attempt: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(attempt)).min(LONGEST_PAUSE)
}

fn attempt_call(url: &str, webhooks: &Webhooks) -> Result<u16, String> {
    // No proxy: the call goes to a neighbour, and an inherited HTTP_PROXY would send it elsewhere. No idle connections:
    // the next call may be days away.
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .max_idle_connections(0)
        .timeout_global(Some(webhooks.timeout))
        .build()
        .into();
    let request =
        Request::builder().method(webhooks.method.as_str()).uri(url).body(()).map_err(|error| error.to_string())?;
    let status = agent.run(request).map_err(|error| error.to_string())?.status().as_u16();
    let success = webhooks.status.map_or((200..300).contains(&status), |expected| status == expected);
    if success { Ok(status) } else { Err(format!("answered {status}")) }
}

/// Scheme, host, port and path: what may be logged, without user, password and query.
fn place(url: &str) -> String {
    let uri: Uri = url.parse().unwrap_or_default();
    let port = uri.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("http://{}{port}{}", uri.host().unwrap_or_default(), uri.path())
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_url_is_plain_http_with_a_host() {
        for url in ["http://127.0.0.1:9880/reload", "http://[::1]:1/", "http://user:secret@host/x?token=1"] {
            assert_eq!(check_url(url).as_deref(), Ok(url));
        }
        for url in ["", "/reload", "localhost:9880", "http://", "https://host/", "ftp://host/", "http://a b/"] {
            assert!(check_url(url).is_err(), "{url}");
        }
    }

    #[test]
    fn the_log_shows_no_secrets() {
        assert_eq!(place("http://user:secret@host:81/x?token=1"), "http://host:81/x");
    }

    #[test]
    fn pauses_double_up_to_a_limit() {
        let pauses: Vec<_> = [0, 1, 2, 6, 99].map(|attempt| pause_after(attempt).as_millis()).into();
        assert_eq!(pauses, [500, 1000, 2000, 30_000, 30_000]);
    }

    /// Calls a server that gives one answer, and compares the result and the first line of the request.
    fn check(method: &str, status: Option<u16>, answer: &'static str, expected: Result<u16, &str>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}/reload", listener.local_addr().expect("it is bound"));
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a call");
            let lines = BufReader::new(stream.try_clone().expect("a second handle")).lines();
            let head: Vec<String> = lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
            write!(stream, "HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n").expect("an answer");
            head
        });
        let webhooks = Webhooks { method: method.to_owned(), status, ..Webhooks::default() };
        assert_eq!(attempt_call(&url, &webhooks), expected.map_err(str::to_owned), "{method} {answer}");
        assert_eq!(server.join().expect("the server ends")[0], format!("{method} /reload HTTP/1.1"));
    }

    #[test]
    fn the_answer_decides() {
        check("POST", None, "204 No Content", Ok(204));
        check("GET", None, "302 Found\r\nLocation: http://127.0.0.1:1/", Err("answered 302"));
        check("PUT", None, "500 Internal Server Error", Err("answered 500"));
        check("POST", Some(200), "204 No Content", Err("answered 204"));
        check("POST", Some(302), "302 Found", Ok(302));
    }
}
