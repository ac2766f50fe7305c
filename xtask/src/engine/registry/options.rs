//! What a [`super::Registry`] is told once. All of it is given as values: nothing here reads the environment.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use crate::oci::redacted;
use crate::workspace::Account;

/// How to speak to registries.
#[derive(Debug, Clone)]
pub struct RegistryOptions {
    /// Accounts by registry, as [`crate::workspace::accounts`] gives them.
    pub accounts: BTreeMap<String, Account>,
    /// Registries, as they stand in references (`registry.lan:5000`), that may be spoken to without TLS. Those on
    /// loopback always may.
    pub plain_http: BTreeSet<String>,
    /// Ask no registry anything: what is not in the store cannot be had.
    pub offline: bool,
    /// Proxies, by default none.
    pub proxy: Proxy,
    /// Certificates, as PEM, that are trusted besides those of the system. One item may hold several.
    pub authorities: Vec<Vec<u8>>,
    /// How many blobs travel at once, over all images. Five by default, as Docker pushes: of five equal layers, with four at
    /// once, the last would travel alone.
    pub concurrency: usize,
    /// What is done again, and how often.
    pub retry: Retry,
    /// How long silence is borne.
    pub timeouts: Timeouts,
}

impl Default for RegistryOptions {
    fn default() -> Self {
        Self {
            accounts: BTreeMap::new(),
            plain_http: BTreeSet::new(),
            offline: false,
            proxy: Proxy::default(),
            authorities: Vec::new(),
            concurrency: 5,
            retry: Retry::default(),
            timeouts: Timeouts::default(),
        }
    }
}

/// Values of the variables of these names. An account in a URL is used and never shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Proxy {
    /// `HTTPS_PROXY`
    pub https: Option<String>,
    /// `HTTP_PROXY`
    pub http: Option<String>,
    /// `NO_PROXY`; loopback is never proxied.
    pub none: Option<String>,
}

impl fmt::Debug for Proxy {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |url: &Option<String>| url.as_deref().map(redacted);
        let (https, http) = (shown(&self.https), shown(&self.http));
        out.debug_struct("Proxy").field("https", &https).field("http", &http).field("none", &self.none).finish()
    }
}

/// What is done again after a fault that may pass, and when. Waiting doubles each time, beginning with `base`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// How often it is tried in all; 0 counts as 1.
    pub attempts: u32,
    /// How long the first wait is.
    pub base: Duration,
    /// The longest wait, also where a registry asks for more seconds by `Retry-After`. A date there is not heeded: there is
    /// no clock here.
    pub longest: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self { attempts: 5, base: Duration::from_millis(500), longest: Duration::from_secs(60) }
    }
}

impl Retry {
    /// How long to wait after an attempt, counted from 1.
    pub(super) fn wait(&self, attempt: u32, asked: Option<Duration>) -> Duration {
        let doubled = self.base.saturating_mul(1 << (attempt - 1).min(16));
        doubled.max(asked.unwrap_or_default()).min(self.longest)
    }
}

/// How long silence is borne. There is no limit for the whole: a large layer on a slow line takes its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Until a connection stands.
    pub connect: Duration,
    /// Without a byte, in either direction.
    pub idle: Duration,
    /// Until the answer to a whole upload begins: some registries copy the blob first.
    pub answer: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        let (connect, idle) = (Duration::from_secs(15), Duration::from_secs(60));
        Self { connect, idle, answer: Duration::from_secs(300) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let retry = Retry { attempts: 9, base: Duration::from_millis(100), longest: Duration::from_secs(1) };
        let check = |attempt, asked: Option<u64>, expect| {
            let wait = retry.wait(attempt, asked.map(Duration::from_millis));
            assert_eq!(wait.as_millis(), expect, "{attempt} {asked:?}");
        };
        check(1, None, 100);
        check(3, None, 400);
        check(9, None, 1_000);
        check(1, Some(700), 700);
        check(2, Some(50), 200);
        check(1, Some(3_600_000), 1_000);
        check(u32::MAX, None, 1_000);
    }

    #[test]
    fn accounts_of_proxies_are_not_shown() {
        let proxy = Proxy { https: Some("http://u:secret@proxy:3128".into()), ..Proxy::default() };
        assert!(!format!("{proxy:?}").contains("secret"));
    }
}
