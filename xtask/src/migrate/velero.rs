//! How Velero reads the image of its restore helper: the key `image` of the ConfigMap with the label
//! `velero.io/pod-volume-restore`, as `getImage` of `pkg/restore/actions/pod_volume_restore_action.go` has it.
//!
//! A value without `/` is dropped without an error; a value without a tag gets the server's own, even on another repository; no
//! rule knows the retired name, so that it is simply used.

use crate::migrate::ledger::{At, Ledger, Wanted, Written};

/// What Velero uses, and what that is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HelperImage {
    /// The reference that the init container gets.
    pub used: String,
    /// What is to be said of it.
    pub verdict: Verdict,
}

/// What is to be said of an override.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Nothing: there is no override.
    Default,
    /// It is another image, which must keep the contract.
    Custom,
    /// It looks honoured and is dropped.
    Ignored,
    /// The same, and it names a retired image.
    IgnoredAndRetired,
    /// It names a retired image, which is used.
    Retired,
    /// The same, by digest: no version can be told from it, so that it can only be removed.
    RetiredByDigest,
}

/// What an override means to a server of some version whose own image is `default`.
pub fn helper_image(value: Option<&str>, default: &str, version: &str, ledger: &Ledger, at: &At) -> HelperImage {
    let Some(value) = value else { return HelperImage { used: default.to_owned(), verdict: Verdict::Default } };
    let is_retired = is_retired(value, ledger, at);
    if !value.contains('/') {
        let verdict = if is_retired { Verdict::IgnoredAndRetired } else { Verdict::Ignored };
        return HelperImage { used: default.to_owned(), verdict };
    }
    let last = value.rsplit('/').next().unwrap_or_default();
    let used = if last.contains(':') { value.to_owned() } else { format!("{value}:{version}") };
    let verdict = match (is_retired, value.contains('@')) {
        (true, true) => Verdict::RetiredByDigest,
        (true, false) => Verdict::Retired,
        (false, _) => Verdict::Custom,
    };
    HelperImage { used, verdict }
}

fn is_retired(value: &str, ledger: &Ledger, at: &At) -> bool {
    let name = value.split('@').next().unwrap_or_default();
    let last = name.rfind('/').map_or(0, |slash| slash + 1);
    let end = name[last..].find(':').map_or(name.len(), |colon| last + colon);
    let found = ledger.find(&Written::parse(&name[..end]), at);
    found.is_some_and(|found| !ledger.resolve(&found, None, Wanted { at, platforms: &[] }).is_cycle)
}
