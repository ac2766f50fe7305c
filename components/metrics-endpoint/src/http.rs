//! The part of HTTP/1.1 that a scrape needs: one request head in, one response out, then the connection closes.
//!
//! The request arrives from anybody who can reach the port, so its size and its duration are bounded.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

const HEAD_LIMIT: usize = 8 * 1024;
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(10);

/// A response that is ready to be written.
#[derive(Debug, PartialEq)]
pub(crate) struct Response {
    pub(crate) status: &'static str,
    pub(crate) content_type: &'static str,
    pub(crate) body: String,
}

impl Response {
    pub(crate) fn plain(status: &'static str, body: &str) -> Self {
        Response { status, content_type: "text/plain; charset=utf-8", body: format!("{body}\n") }
    }
}

/// Reads one request, answers it with `route(path)`, and closes the connection.
pub(crate) fn serve(mut stream: TcpStream, route: impl FnOnce(&str) -> Response) -> io::Result<()> {
    let head = read_head(&mut stream)?;
    let (response, with_body) = answer(&head, route);
    stream.set_write_timeout(Some(RESPONSE_TIMEOUT))?;
    let mut bytes = format!(
        "HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        response.status,
        response.content_type,
        response.body.len()
    );
    if with_body {
        bytes.push_str(&response.body);
    }
    stream.write_all(bytes.as_bytes())?;
    stream.shutdown(Shutdown::Write)?;
    discard_rest(&mut stream)
}

/// The response to a request head, and whether its body is sent.
fn answer(head: &[u8], route: impl FnOnce(&str) -> Response) -> (Response, bool) {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    let mut words = line.trim_end().split(' ');
    match (words.next(), words.next(), words.next(), words.next()) {
        (Some(method @ ("GET" | "HEAD")), Some(target), Some(version), None) if version.starts_with("HTTP/1.") => {
            let path = target.split(['?', '#']).next().unwrap_or_default();
            (route(path), method == "GET")
        }
        (Some(_), Some(_), Some(version), None) if version.starts_with("HTTP/1.") => {
            (Response::plain("405 Method Not Allowed", "only GET and HEAD are answered"), true)
        }
        _ => (Response::plain("400 Bad Request", "this is not an HTTP/1.1 request"), true),
    }
}

/// Reads up to the empty line that ends the head; what is longer or slower than a scrape ever is becomes an error.
fn read_head(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let deadline = Instant::now() + REQUEST_TIMEOUT;
    let mut head = Vec::new();
    let mut chunk = [0; 1024];
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() || head.len() > HEAD_LIMIT {
            return Err(io::ErrorKind::InvalidData.into());
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut chunk)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => head.extend_from_slice(&chunk[..count]),
        }
    }
    Ok(head)
}

/// Closing with unread input resets the connection and may destroy the response on its way.
fn discard_rest(stream: &mut TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_millis(200)))?;
    let mut chunk = [0; 1024];
    for _ in 0..64 {
        if stream.read(&mut chunk)? == 0 {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(head: &str, expected_status: &str, expected_body: &str, expected_sent: bool) {
        let (response, sent) = answer(head.as_bytes(), |path| Response::plain("200 OK", path));
        assert_eq!((response.status, response.body.trim_end(), sent), (expected_status, expected_body, expected_sent));
    }

    #[test]
    fn requests_are_answered_by_method_and_path() {
        check("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", "200 OK", "/metrics", true);
        check("GET /metrics?format=x HTTP/1.0\r\n\r\n", "200 OK", "/metrics", true);
        check("HEAD /metrics HTTP/1.1\r\n\r\n", "200 OK", "/metrics", false);
        check("POST /metrics HTTP/1.1\r\n\r\n", "405 Method Not Allowed", "only GET and HEAD are answered", true);
        for head in
            ["", "\r\n\r\n", "GET /\r\n\r\n", "GET / x HTTP/1.1\r\n\r\n", "GET / TLS\r\n\r\n", "\u{0}\u{ff}\r\n\r\n"]
        {
            check(head, "400 Bad Request", "this is not an HTTP/1.1 request", true);
        }
    }
}
