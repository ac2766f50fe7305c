//! One request and its answer: clients for both schemes, silence that ends, bodies that end.
//!
//! reqwest's own limits do not fit: its `timeout` is total, and its `read_timeout` counts while a body is sent, so that a long
//! upload would be cut. Here a request ends when no byte has moved for a while, in either direction. Redirects are not followed
//! here, and the environment is not read, but for one thing: the trusted certificates of the system are found by
//! `rustls-native-certs`, which honours `SSL_CERT_FILE` and `SSL_CERT_DIR` as OpenSSL does.

use std::error::Error as _;
use std::io;
use std::pin::pin;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{CONTENT_LENGTH, HeaderMap, HeaderName};
use reqwest::{Client, ClientBuilder, Method, NoProxy, Response, StatusCode, Url, redirect};
use tokio::time::{sleep, timeout};

use super::auth::Authorization;
use super::body::FilePart;
use super::options::{Proxy, RegistryOptions, Timeouts};
use super::trouble::{Trouble, clean, message};
use crate::oci::redacted;

/// Never proxied, as every other program has it.
const LOOPBACK: &str = "localhost,127.0.0.0/8,::1";
/// As much of an error's body as is looked at.
const ERROR_BODY: u64 = 64 * 1024;

/// Sends requests.
#[derive(Debug)]
pub(super) struct Http {
    plain: OnceLock<Client>,
    secure: OnceLock<Client>,
    proxy: Proxy,
    #[cfg_attr(not(feature = "tls"), allow(dead_code, reason = "nothing is trusted without TLS"))]
    authorities: Vec<Vec<u8>>,
    timeouts: Timeouts,
}

/// A request that can be sent several times.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub method: Method,
    pub url: Url,
    pub headers: HeaderMap,
    pub payload: Payload,
}

/// The body of a request.
#[derive(Debug, Clone)]
pub(super) enum Payload {
    Nothing,
    Bytes(Bytes),
    File(FilePart),
}

/// An answer whose body is still to be read.
#[derive(Debug)]
pub(super) struct Answer {
    response: Response,
    idle: Duration,
}

impl Call {
    pub fn new(method: Method, url: Url) -> Self {
        Self { method, url, headers: HeaderMap::new(), payload: Payload::Nothing }
    }

    /// Adds a header; a value that cannot stand in one is left out.
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = value.parse() {
            self.headers.insert(name, value);
        }
        self
    }

    pub fn payload(mut self, payload: Payload) -> Self {
        self.payload = payload;
        self
    }
}

impl Http {
    pub fn new(options: &RegistryOptions) -> Self {
        let (proxy, authorities) = (options.proxy.clone(), options.authorities.clone());
        let (plain, secure) = (OnceLock::new(), OnceLock::new());
        Self { plain, secure, proxy, authorities, timeouts: options.timeouts }
    }

    /// Sends a call, to another address if one is given.
    pub async fn send(&self, call: &Call, url: &Url, who: Option<&Authorization>) -> Result<Answer, Trouble> {
        let mut request = self.client(url)?.request(call.method.clone(), url.clone()).headers(call.headers.clone());
        request = match who {
            Some(Authorization::Basic { user, password }) => request.basic_auth(user, Some(password)),
            Some(Authorization::Bearer(token)) => request.bearer_auth(token),
            None => request,
        };
        let nothing = AtomicU64::new(0);
        let (moved, whole) = match &call.payload {
            // some registries insist on a length where none is needed
            Payload::Nothing if matches!(call.method, Method::GET | Method::HEAD) => (&nothing, 0),
            Payload::Nothing => {
                request = request.header(CONTENT_LENGTH, 0);
                (&nothing, 0)
            }
            Payload::Bytes(bytes) => {
                request = request.body(bytes.clone());
                (&nothing, 0)
            }
            Payload::File(part) => {
                request = request.header(CONTENT_LENGTH, part.length).body(part.body()?);
                (part.moved(), part.length)
            }
        };
        let limits = if call.method == Method::PUT { self.timeouts.answer } else { self.timeouts.idle };
        let sent = self.watched(request.send(), moved, whole, limits).await?;
        let response = sent.map_err(|error| transport(error, url))?;
        Ok(Answer { response, idle: self.timeouts.idle })
    }

    /// Waits for a future as long as bytes move, and for its end once all have.
    async fn watched<F: Future>(
        &self,
        future: F,
        moved: &AtomicU64,
        whole: u64,
        answer: Duration,
    ) -> Result<F::Output, Trouble> {
        let mut future = pin!(future);
        let mut seen = moved.load(Ordering::Relaxed);
        loop {
            let limit = if seen >= whole { answer } else { self.timeouts.idle };
            tokio::select! {
                output = &mut future => return Ok(output),
                () = sleep(limit) => {}
            }
            let now = moved.load(Ordering::Relaxed);
            if now == seen {
                return Err(silence(limit));
            }
            seen = now;
        }
    }

    fn client(&self, url: &Url) -> Result<&Client, Trouble> {
        let (cell, secure) = if url.scheme() == "https" { (&self.secure, true) } else { (&self.plain, false) };
        if let Some(client) = cell.get() {
            return Ok(client);
        }
        let client = self.build(secure)?;
        Ok(cell.get_or_init(|| client))
    }

    fn build(&self, secure: bool) -> Result<Client, Trouble> {
        let builder = Client::builder().no_proxy().redirect(redirect::Policy::none()).referer(false);
        let builder = builder.user_agent(concat!("groupage/", env!("CARGO_PKG_VERSION")));
        let mut builder = builder.connect_timeout(self.timeouts.connect);
        for (url, make) in [
            (&self.proxy.https, reqwest::Proxy::https as fn(String) -> reqwest::Result<reqwest::Proxy>),
            (&self.proxy.http, reqwest::Proxy::http),
        ] {
            let Some(url) = url else { continue };
            let none = self.proxy.none.iter().fold(LOOPBACK.to_owned(), |all, own| format!("{all},{own}"));
            let proxy = make(url.clone()).map_err(|_| Trouble::refused(format!("{} is no proxy", redacted(url))))?;
            builder = builder.proxy(proxy.no_proxy(NoProxy::from_string(&none)));
        }
        builder = if secure { self.trust(builder)? } else { distrust(builder) };
        builder.build().map_err(|error| Trouble::Refused {
            detail: format!("TLS cannot be had: {}", root_cause(&error)),
            hint: Some("are the certificates of the system (package ca-certificates) installed?".to_owned()),
        })
    }

    #[cfg(feature = "tls")]
    fn trust(&self, builder: ClientBuilder) -> Result<ClientBuilder, Trouble> {
        crate::engine::crypto::install();
        let mut all = Vec::new();
        for pem in &self.authorities {
            let some = reqwest::Certificate::from_pem_bundle(pem).unwrap_or_default();
            if some.is_empty() {
                return Err(Trouble::refused("an extra CA file holds no certificate in PEM form"));
            }
            all.extend(some);
        }
        Ok(builder.tls_certs_merge(all))
    }

    #[cfg(not(feature = "tls"))]
    fn trust(&self, _: ClientBuilder) -> Result<ClientBuilder, Trouble> {
        let hint = Some("install it with its default features".to_owned());
        Err(Trouble::Refused { detail: "this program was built without TLS".to_owned(), hint })
    }
}

/// The client for plain HTTP does not read the certificates of the system.
#[cfg(feature = "tls")]
fn distrust(builder: ClientBuilder) -> ClientBuilder {
    crate::engine::crypto::install();
    builder.tls_certs_only([])
}

#[cfg(not(feature = "tls"))]
fn distrust(builder: ClientBuilder) -> ClientBuilder {
    builder
}

impl Answer {
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    pub fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// A header as text; empty when it is absent.
    pub fn header(&self, name: impl reqwest::header::AsHeaderName) -> &str {
        self.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The length that was announced for the body.
    pub fn length(&self) -> Option<u64> {
        self.header(CONTENT_LENGTH).parse().ok()
    }

    /// Who answered.
    pub fn host(&self) -> String {
        authority(self.response.url())
    }

    pub fn url(&self) -> &Url {
        self.response.url()
    }

    /// The next bytes of the body.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Trouble> {
        let next = timeout(self.idle, self.response.chunk()).await.map_err(|_| silence(self.idle))?;
        next.map_err(|error| transport(error, self.response.url()))
    }

    /// The whole body, if it is not longer than `limit`.
    pub async fn bytes(mut self, limit: u64) -> Result<Option<Vec<u8>>, Trouble> {
        if self.length().is_some_and(|length| length > limit) {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = self.chunk().await? {
            if bytes.len() as u64 + chunk.len() as u64 > limit {
                return Ok(None);
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(Some(bytes))
    }

    /// What an answer means that is no success. `login` is the command that makes an account known.
    pub async fn trouble(self, login: &str) -> Trouble {
        let (status, host) = (self.status(), self.host());
        let asked = self.header(reqwest::header::RETRY_AFTER).parse().ok().map(Duration::from_secs);
        let words = self.bytes(ERROR_BODY).await.ok().flatten().map(|body| message(&body)).unwrap_or_default();
        let words = if words.is_empty() { words } else { format!(": {words}") };
        let detail = format!("{host} answers {}{words}", named(status));
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Trouble::Denied { detail, login: login.to_owned() },
            StatusCode::NOT_FOUND => Trouble::Missing { detail },
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => Trouble::Passing { detail, after: asked },
            StatusCode::NOT_IMPLEMENTED => Trouble::refused(detail),
            status if status.is_server_error() => Trouble::Passing { detail, after: asked },
            _ => Trouble::refused(detail),
        }
    }
}

/// `404 Not Found`
fn named(status: StatusCode) -> String {
    let reason = status.canonical_reason().map_or(String::new(), |reason| format!(" {reason}"));
    format!("{}{reason}", status.as_u16())
}

/// Host and port of an address, without account, path and query.
pub(super) fn authority(url: &Url) -> String {
    let port = url.port().map_or(String::new(), |port| format!(":{port}"));
    format!("{}{port}", url.host_str().unwrap_or_default())
}

fn silence(limit: Duration) -> Trouble {
    Trouble::passing(format!("no byte has come or gone for {:?}", limit))
}

/// An answer that did not come, or not to its end.
fn transport(error: reqwest::Error, url: &Url) -> Trouble {
    let (host, cause) = (authority(url), root_cause(&error));
    let connecting = error.is_connect();
    let detail = if connecting { format!("cannot connect to {host}: {cause}") } else { format!("{host}: {cause}") };
    let passes = match io_kind(&error) {
        _ if error.is_builder() => false,
        _ if error.is_timeout() || !connecting => true,
        Some(kind) => matches!(
            kind,
            io::ErrorKind::ConnectionRefused
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe
                | io::ErrorKind::TimedOut
                | io::ErrorKind::UnexpectedEof
                | io::ErrorKind::NotConnected
        ),
        None => false,
    };
    if passes {
        return Trouble::passing(detail);
    }
    let certificate = cause.contains("certificate");
    let hint = if certificate {
        "trust the certificate of its authority, on this machine or as an extra CA file"
    } else {
        "check the name of the registry, the network and the proxy"
    };
    Trouble::Refused { detail, hint: Some(hint.to_owned()) }
}

/// An error and its causes. An `io::Error` hides the one it was made of from `source`.
fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    std::iter::successors(error.source(), |cause| {
        let cause = *cause;
        match cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => cause.source(),
        }
    })
}

/// The innermost words of an error: the outer ones name the address, which may be signed.
fn root_cause(error: &reqwest::Error) -> String {
    let words = causes(error).last().map_or_else(|| "the request cannot be sent".to_owned(), ToString::to_string);
    clean(&words)
}

fn io_kind(error: &reqwest::Error) -> Option<io::ErrorKind> {
    causes(error).filter_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind).last()
}
