//! The call and its repetitions.

use std::fmt::{self, Display};
use std::thread;
use std::time::Duration;

use humantime::format_duration;
use ureq::http::Request;

use crate::url::place;

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What to call, what counts as success, and how often to try.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// A URL that [`check_url`](crate::check_url) has accepted.
    pub url: &'a str,
    /// The method, such as `POST`.
    pub method: &'a str,
    /// `None` accepts every answer from 200 to 299.
    pub status: Option<u16>,
    /// How often a failed attempt is repeated.
    pub retries: u32,
    /// The limit of one attempt.
    pub timeout: Duration,
}

/// What became of one attempt; shown, it is the line for the log.
#[derive(Debug, PartialEq, Eq)]
pub enum Attempt<'a> {
    /// The answer was the expected one.
    Success {
        /// What of the URL may be shown.
        place: &'a str,
        /// The status of the answer.
        status: u16,
    },
    /// The next attempt follows after a pause.
    Again {
        /// What of the URL may be shown.
        place: &'a str,
        /// Why this attempt failed.
        problem: String,
        /// How long the pause is.
        pause: Duration,
    },
    /// There is no retry left.
    GivenUp {
        /// What of the URL may be shown.
        place: &'a str,
        /// Why the last attempt failed.
        problem: String,
    },
}

impl Display for Attempt<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Attempt::Success { place, status } => write!(formatter, "called {place}: {status}"),
            Attempt::Again { place, problem, pause } => {
                write!(formatter, "call of {place} failed: {problem}; again in {}", format_duration(*pause))
            }
            Attempt::GivenUp { place, problem } => write!(formatter, "call of {place} failed: {problem}"),
        }
    }
}

impl Call<'_> {
    /// Calls until the answer is a success or the retries are used up, and tells which of them it was. `on_attempt`
    /// hears of every attempt before the pause that may follow it.
    pub fn run(&self, mut on_attempt: impl FnMut(&Attempt<'_>)) -> bool {
        let place = &place(self.url);
        for attempt in 0..=self.retries {
            match self.attempt() {
                Ok(status) => {
                    on_attempt(&Attempt::Success { place, status });
                    return true;
                }
                Err(problem) if attempt < self.retries => {
                    let pause = pause_after(attempt);
                    on_attempt(&Attempt::Again { place, problem, pause });
                    thread::sleep(pause);
                }
                Err(problem) => on_attempt(&Attempt::GivenUp { place, problem }),
            }
        }
        false
    }

    fn attempt(&self) -> Result<u16, String> {
        let status = self.send().map_err(|error| error.to_string())?;
        let success = self.status.map_or((200..300).contains(&status), |expected| status == expected);
        if success { Ok(status) } else { Err(format!("answered {status}")) }
    }

    fn send(&self) -> Result<u16, ureq::Error> {
        // No proxy: the call goes to a neighbour, and an inherited HTTP_PROXY would send it elsewhere. No idle
        // connections: the next call may be days away.
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .max_idle_connections(0)
            .timeout_global(Some(self.timeout))
            .build()
            .into();
        let request = Request::builder().method(self.method).uri(self.url);
        // A method that may have a body says that it has none; `()` would announce one of chunks.
        let response = match self.method {
            "POST" | "PUT" | "PATCH" => agent.run(request.body([].as_slice())?),
            _ => agent.run(request.body(())?),
        };
        Ok(response?.status().as_u16())
    }
}

/// The pause after a failed attempt: doubled each time, up to a limit.
fn pause_after(attempt: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(attempt)).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::TcpListener;

    use super::*;

    const CALL: Call<'_> = Call { url: "", method: "POST", status: None, retries: 0, timeout: Duration::from_secs(10) };

    #[test]
    fn pauses_double_up_to_a_limit() {
        let pauses: Vec<_> = [0, 1, 2, 6, 99].map(|attempt| pause_after(attempt).as_millis()).into();
        assert_eq!(pauses, [500, 1000, 2000, 30_000, 30_000]);
    }

    #[test]
    fn an_attempt_is_shown_as_a_line_for_the_log() {
        let (place, problem) = ("http://host/x", "answered 503".to_owned());
        let check = |attempt: Attempt<'_>, expected: &str| assert_eq!(attempt.to_string(), expected);
        check(Attempt::Success { place, status: 204 }, "called http://host/x: 204");
        let pause = Duration::from_millis(500);
        check(
            Attempt::Again { place, problem: problem.clone(), pause },
            "call of http://host/x failed: answered 503; again in 500ms",
        );
        check(Attempt::GivenUp { place, problem }, "call of http://host/x failed: answered 503");
    }

    /// Calls a server that gives one answer, compares the result and the first line of the request, and returns its
    /// other lines.
    fn check(call: Call<'_>, answer: &'static str, expected: Result<u16, &str>) -> Vec<String> {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}/reload", listener.local_addr().expect("it is bound"));
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a call");
            let lines = BufReader::new(stream.try_clone().expect("a second handle")).lines();
            let head: Vec<String> = lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
            write!(stream, "HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n").expect("an answer");
            head
        });
        let result = Call { url: &url, ..call }.attempt();
        assert_eq!(result, expected.map_err(str::to_owned), "{} {answer}", call.method);
        let mut head = server.join().expect("the server ends");
        assert_eq!(head.remove(0), format!("{} /reload HTTP/1.1", call.method));
        head
    }

    #[test]
    fn the_answer_decides() {
        let found = "302 Found\r\nLocation: http://127.0.0.1:1/";
        check(CALL, "204 No Content", Ok(204));
        check(Call { method: "GET", ..CALL }, found, Err("answered 302"));
        check(Call { method: "PUT", ..CALL }, "500 Internal Server Error", Err("answered 500"));
        check(Call { status: Some(200), ..CALL }, "204 No Content", Err("answered 204"));
        check(Call { status: Some(302), ..CALL }, "302 Found", Ok(302));
    }

    #[test]
    fn a_method_that_may_have_a_body_says_that_it_has_none() {
        for method in ["POST", "PUT", "PATCH"] {
            let head = check(Call { method, ..CALL }, "200 OK", Ok(200));
            assert!(head.iter().any(|line| line == "content-length: 0"), "{method}: {head:?}");
        }
        let head = check(Call { method: "GET", ..CALL }, "200 OK", Ok(200));
        assert!(
            !head.iter().any(|line| line.starts_with("content-length") || line.starts_with("transfer-encoding")),
            "{head:?}"
        );
    }
}
