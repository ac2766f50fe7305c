//! Which URLs can be called, and what of them may be shown.

use ureq::http::Uri;

/// The URL as it was given, if it can be called; the message for one that is none shows `example`.
///
/// # Errors
/// When it is no `http://` URL with a host. The message never repeats the URL: it may hold a password.
pub fn check_url(url: &str, example: &str) -> Result<String, String> {
    let uri: Uri = url.parse().map_err(|_| format!("this is no URL; expected one such as {example}"))?;
    match (uri.scheme_str(), uri.host()) {
        (Some("http"), Some(host)) if !host.is_empty() => Ok(url.to_owned()),
        (Some("https"), _) => Err("this program speaks plain HTTP only; give an http:// URL".to_owned()),
        _ => Err("this is no http:// URL with a host".to_owned()),
    }
}

/// Scheme, host, port and path: what may be logged, without user, password and query.
pub(crate) fn place(url: &str) -> String {
    let uri: Uri = url.parse().unwrap_or_default();
    let port = uri.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("http://{}{port}{}", uri.host().unwrap_or_default(), uri.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = "http://127.0.0.1:9880/reload";

    #[test]
    fn a_url_is_plain_http_with_a_host() {
        for url in [EXAMPLE, "http://127.0.0.1:24444/flush", "http://[::1]:1/", "http://user:secret@host/x?token=1"] {
            assert_eq!(check_url(url, EXAMPLE).as_deref(), Ok(url));
        }
        for url in [
            "",
            "/reload",
            "/flush",
            "localhost:9880",
            "localhost:24444",
            "http://",
            "http:///x",
            "https://host/",
            "ftp://host/",
            "http://a b/",
        ] {
            assert!(check_url(url, EXAMPLE).is_err(), "{url}");
        }
    }

    #[test]
    fn the_log_shows_no_secrets() {
        assert_eq!(place("http://user:secret@host:81/x?token=1"), "http://host:81/x");
        assert_eq!(place("http://host"), "http://host/");
    }
}
