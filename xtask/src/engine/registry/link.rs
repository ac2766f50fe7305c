//! Requests that arrive: the right scheme, the right account, redirects, and another attempt where one may help.

use std::collections::BTreeMap;
use std::sync::Mutex;

use reqwest::header::LOCATION;
use reqwest::{Method, StatusCode, Url};

use super::auth::{Access, Auth};
use super::http::{Answer, Call, Http, authority};
use super::options::{RegistryOptions, Retry};
use super::target::{Target, is_loopback};
use super::trouble::Trouble;
use crate::engine::{EngineError, Event, Events};
use crate::oci::Reference;

/// How many redirects are followed.
const REDIRECTS: u32 = 5;
/// As much of an answer as is read so that its connection can serve again.
const DRAINED: u64 = 64 * 1024;

/// The way to all registries.
#[derive(Debug)]
pub(super) struct Link {
    http: Http,
    auth: Auth,
    options: RegistryOptions,
    /// Registries that were asked whether they have TLS: true for plain HTTP.
    plain: Mutex<BTreeMap<String, bool>>,
}

/// What is done for whom, as events and errors tell it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Errand<'a> {
    pub events: &'a Events,
    /// Name of the image in events.
    pub image: &'a str,
    /// Name of the image in errors.
    pub reference: &'a Reference,
    /// Such as `fetch sha256:… of`.
    pub action: &'a str,
}

impl Errand<'_> {
    fn error(&self, trouble: Trouble, attempts: u32) -> EngineError {
        trouble.into_error(self.action, &self.reference.to_string(), attempts)
    }
}

/// What is said instead of asking.
fn offline() -> Trouble {
    let hint = "run it without --offline once, or name an image that is on this machine, such as `oci:DIR`";
    Trouble::Refused { detail: "--offline was given".to_owned(), hint: Some(hint.to_owned()) }
}

impl Link {
    pub fn new(options: RegistryOptions) -> Self {
        let (http, auth) = (Http::new(&options), Auth::new(options.accounts.clone()));
        Self { http, auth, options, plain: Mutex::default() }
    }

    /// Does something until it is done, fails for good, or has failed too often.
    pub async fn persist<T>(
        &self,
        errand: &Errand<'_>,
        mut attempt: impl AsyncFnMut() -> Result<T, Trouble>,
    ) -> Result<T, EngineError> {
        if self.options.offline {
            return Err(errand.error(offline(), 1));
        }
        let Retry { attempts, .. } = self.options.retry;
        let mut number = 1;
        loop {
            let trouble = match attempt().await {
                Ok(value) => return Ok(value),
                Err(trouble) => trouble,
            };
            let Some((reason, asked)) = trouble.passes().filter(|_| number < attempts) else {
                return Err(errand.error(trouble, number));
            };
            let wait = self.options.retry.wait(number, asked);
            number += 1;
            errand.events.emit(Event::Retrying {
                image: errand.image.to_owned(),
                action: format!("{} {}", errand.action, errand.reference),
                reason,
                attempt: number,
                attempts,
                wait_millis: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
            });
            tokio::time::sleep(wait).await;
        }
    }

    /// An address of a repository.
    pub async fn url(&self, target: &Target, rest: &str) -> Result<Url, Trouble> {
        target.url(self.is_plain(target).await?, rest)
    }

    /// Sends a request with what opens it. An account goes to the registry itself only, wherever redirects lead.
    pub async fn call(&self, access: &Access, call: &Call) -> Result<Answer, Trouble> {
        let held = self.auth.current(access);
        let answer = self.follow(access, call, held.as_ref()).await?;
        let home = access.target.root(self.is_plain(&access.target).await?)?;
        if answer.status() != StatusCode::UNAUTHORIZED || answer.url().origin() != home.origin() {
            return Ok(answer);
        }
        let headers = answer.headers().clone();
        answer.bytes(DRAINED).await?;
        let plain =
            |url: &Url| self.may_be_plain(&authority(url)) || (home.scheme() == "http" && same_host(url, &home));
        let renewed = self.auth.renew(&self.http, access, held.as_ref(), &headers, &plain).await?;
        self.follow(access, call, Some(&renewed)).await
    }

    async fn follow(
        &self,
        access: &Access,
        call: &Call,
        who: Option<&super::auth::Authorization>,
    ) -> Result<Answer, Trouble> {
        let home = access.target.root(self.is_plain(&access.target).await?)?;
        let mut url = call.url.clone();
        for _ in 0..=REDIRECTS {
            if home.scheme() == "https" && url.scheme() != "https" {
                let detail = format!("{} leads to {} without TLS", authority(&home), authority(&url));
                return Err(Trouble::refused(detail));
            }
            let at_home = url.origin() == home.origin();
            let answer = self.http.send(call, &url, who.filter(|_| at_home)).await?;
            if !answer.status().is_redirection() {
                return Ok(answer);
            }
            // what is sent to a registry is sent to no one else
            if !matches!(call.method, Method::GET | Method::HEAD) {
                return Err(answer.trouble(&access.target.login()).await);
            }
            let next = url.join(answer.header(LOCATION)).ok().filter(|next| matches!(next.scheme(), "http" | "https"));
            let next = next.filter(|_| answer.headers().contains_key(LOCATION));
            url = next.ok_or_else(|| Trouble::refused(format!("{} redirects to no address", answer.host())))?;
            answer.bytes(DRAINED).await?;
        }
        Err(Trouble::refused(format!("{} redirects more than {REDIRECTS} times", authority(&home))))
    }

    /// Whether a registry may be spoken to without TLS.
    fn may_be_plain(&self, registry: &str) -> bool {
        is_loopback(registry) || self.options.plain_http.contains(registry)
    }

    /// Whether a registry is spoken to without TLS. One that may be is asked once which it speaks.
    async fn is_plain(&self, target: &Target) -> Result<bool, Trouble> {
        if !self.may_be_plain(&target.registry) {
            return Ok(false);
        }
        if let Some(&known) = self.plain.lock().ok().as_ref().and_then(|plain| plain.get(&target.registry)) {
            return Ok(known);
        }
        let plain = self.sniff(target).await?;
        if let Ok(mut known) = self.plain.lock() {
            known.insert(target.registry.clone(), plain);
        }
        Ok(plain)
    }

    /// A server with TLS answers a plain request with 400 and words about HTTPS, or ends the connection.
    async fn sniff(&self, target: &Target) -> Result<bool, Trouble> {
        let ask = async |plain: bool| {
            let call = Call::new(Method::GET, target.root(plain)?);
            self.http.send(&call, &call.url, None).await
        };
        let trouble = match ask(true).await {
            Ok(answer) if answer.status() != StatusCode::BAD_REQUEST => {
                answer.bytes(DRAINED).await?;
                return Ok(true);
            }
            Ok(answer) => {
                let words = answer.bytes(DRAINED).await?.unwrap_or_default();
                if !String::from_utf8_lossy(&words).to_ascii_uppercase().contains("HTTPS") {
                    return Ok(true);
                }
                None
            }
            Err(trouble) => Some(trouble),
        };
        match (ask(false).await, trouble) {
            (Ok(_), _) => Ok(false),
            (Err(_), Some(first)) => Err(first),
            (Err(second), None) => Err(second),
        }
    }
}

fn same_host(one: &Url, other: &Url) -> bool {
    one.host_str() == other.host_str()
}
