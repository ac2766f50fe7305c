//! One blob on its way to a registry: looked for, mounted, or sent; continued where the registry has part of it.
//! <https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-blobs>
//!
//! A blob is sent as POST and one PUT, which every registry takes. When the connection breaks, the registry is asked how much it
//! has: the rest goes as PATCH and PUT. One that does not know any more (Distribution gives up an upload that broke within
//! a request) gets the blob from its beginning.

use std::sync::Arc;

use bytes::Bytes;
use reqwest::header::{CONTENT_RANGE, CONTENT_TYPE, LOCATION, RANGE};
use reqwest::{Method, StatusCode, Url};

use super::auth::Access;
use super::body::FilePart;
use super::http::{Answer, Call, Payload};
use super::link::Link;
use super::progress::Progress;
use super::target::Target;
use super::trouble::Trouble;
use crate::engine::BlobOutcome;
use crate::oci::Digest;

/// How a blob travels.
const BLOB: &str = "application/octet-stream";

/// Where the bytes of a blob are.
#[derive(Debug, Clone)]
pub(super) enum Bytestream {
    Memory(Bytes),
    File(camino::Utf8PathBuf),
}

/// One blob on its way.
#[derive(Debug)]
pub(super) struct Upload<'a> {
    pub link: &'a Link,
    pub target: &'a Target,
    pub digest: &'a Digest,
    pub size: u64,
    pub source: Bytestream,
    /// Another repository of this registry that has it, perhaps.
    pub mount_from: Option<String>,
    pub progress: Arc<Progress>,
    /// Where an earlier attempt was sent to.
    pub session: Option<Url>,
    /// The registry was asked already, and has it not.
    pub absent: bool,
}

/// What came of asking for a place to send to.
enum Begun {
    Mounted,
    Session(Url),
}

impl Upload<'_> {
    /// Looks whether the registry has the blob, or takes it from another of its repositories: no bytes of it are needed then.
    pub async fn without_bytes(&mut self) -> Result<Option<BlobOutcome>, Trouble> {
        if self.is_there().await? {
            return Ok(Some(BlobOutcome::Present));
        }
        if self.mount_from.is_some()
            && let Begun::Mounted = self.begin().await?
        {
            return Ok(Some(BlobOutcome::Mounted));
        }
        self.absent = true;
        Ok(None)
    }

    /// Brings the blob to the registry, or a part of it.
    pub async fn attempt(&mut self) -> Result<BlobOutcome, Trouble> {
        if !std::mem::take(&mut self.absent) && self.is_there().await? {
            // either it was always there, or the answer to the last attempt was lost
            return Ok(if self.session.is_some() { BlobOutcome::Copied } else { BlobOutcome::Present });
        }
        if let Some(session) = self.session.clone()
            && let Some((session, offset)) = self.status(&session).await?
        {
            return match self.send(session, offset).await {
                Err(trouble) if trouble.passes().is_none() && !is_local(&trouble) => {
                    self.session = None;
                    Err(Trouble::passing("the upload cannot be continued"))
                }
                end => end.map(|()| BlobOutcome::Copied),
            };
        }
        match self.begin().await? {
            Begun::Mounted => Ok(BlobOutcome::Mounted),
            Begun::Session(session) => self.send(session, 0).await.map(|()| BlobOutcome::Copied),
        }
    }

    fn access(&self) -> Access {
        Access::push(self.target)
    }

    async fn is_there(&self) -> Result<bool, Trouble> {
        let url = self.link.url(self.target, &format!("blobs/{}", self.digest)).await?;
        let answer = self.link.call(&self.access(), &Call::new(Method::HEAD, url)).await?;
        match answer.status() {
            StatusCode::OK => Ok(true),
            StatusCode::NOT_FOUND => Ok(false),
            _ => Err(answer.trouble(&self.target.login()).await),
        }
    }

    /// Asks for a place, by way of a mount if one may work. A registry that cannot mount gives a place at once, or refuses.
    async fn begin(&mut self) -> Result<Begun, Trouble> {
        let plain = self.link.url(self.target, "blobs/uploads/").await?;
        if let Some(from) = self.mount_from.take() {
            let mut url = plain.clone();
            url.query_pairs_mut().append_pair("mount", &self.digest.to_string()).append_pair("from", &from);
            let call = Call::new(Method::POST, url);
            match self.link.call(&Access::mount(self.target, &from), &call).await {
                Ok(answer) if answer.status() == StatusCode::CREATED => return Ok(Begun::Mounted),
                Ok(answer) if answer.status() == StatusCode::ACCEPTED => return Ok(Begun::Session(place(&answer)?)),
                Ok(_) | Err(Trouble::Denied { .. } | Trouble::Missing { .. } | Trouble::Refused { .. }) => {}
                Err(trouble) => return Err(trouble),
            }
        }
        let answer = self.link.call(&self.access(), &Call::new(Method::POST, plain)).await?;
        match answer.status() {
            StatusCode::ACCEPTED => Ok(Begun::Session(place(&answer)?)),
            _ => Err(answer.trouble(&self.target.login()).await),
        }
    }

    /// How much of the blob a registry has, and where the rest goes; `None` when it is better to begin anew.
    async fn status(&self, session: &Url) -> Result<Option<(Url, u64)>, Trouble> {
        let answer = match self.link.call(&self.access(), &Call::new(Method::GET, session.clone())).await {
            Ok(answer) if answer.status().is_success() => answer,
            Err(trouble) if trouble.passes().is_some() => return Err(trouble),
            _ => return Ok(None),
        };
        let range = answer.header(RANGE);
        let last = range.strip_prefix("bytes=").unwrap_or(range).strip_prefix("0-").and_then(|last| last.parse().ok());
        let next = place(&answer).unwrap_or_else(|_| session.clone());
        // `0-0` is said of nothing as well as of one byte
        Ok(last.filter(|last: &u64| (1..self.size).contains(last)).map(|last| (next, last + 1)))
    }

    async fn send(&mut self, session: Url, offset: u64) -> Result<(), Trouble> {
        self.session = Some(session.clone());
        if offset == 0 {
            return self.put(session, self.payload(0)).await;
        }
        self.progress.forward(offset);
        let sent = self.rest(session, offset).await;
        if sent.is_err() {
            self.progress.back(offset);
        }
        sent
    }

    /// Sends what the registry lacks, and closes the upload.
    async fn rest(&mut self, session: Url, offset: u64) -> Result<(), Trouble> {
        let mut session = session;
        if offset < self.size {
            let call = Call::new(Method::PATCH, session)
                .header(CONTENT_TYPE, BLOB)
                .header(CONTENT_RANGE, &format!("{offset}-{}", self.size - 1));
            let answer = self.travel(call, self.payload(offset)).await?;
            if !answer.status().is_success() {
                return Err(answer.trouble(&self.target.login()).await);
            }
            session = place(&answer)?;
            self.session = Some(session.clone());
        }
        self.put(session, Payload::Nothing).await
    }

    fn payload(&self, offset: u64) -> Payload {
        match &self.source {
            Bytestream::Memory(bytes) => Payload::Bytes(bytes.slice(usize::try_from(offset).unwrap_or(usize::MAX)..)),
            Bytestream::File(path) => {
                let (path, progress) = (path.clone(), Arc::clone(&self.progress));
                Payload::File(FilePart::new(path, offset, self.size - offset, progress))
            }
        }
    }

    async fn put(&self, mut session: Url, payload: Payload) -> Result<(), Trouble> {
        session.query_pairs_mut().append_pair("digest", &self.digest.to_string());
        let call = Call::new(Method::PUT, session).header(CONTENT_TYPE, BLOB);
        let answer = self.travel(call, payload).await?;
        if answer.status().is_success() { Ok(()) } else { Err(answer.trouble(&self.target.login()).await) }
    }

    /// Sends a body. Bytes that went in vain are taken back.
    async fn travel(&self, call: Call, payload: Payload) -> Result<Answer, Trouble> {
        let memory = match &payload {
            Payload::Bytes(bytes) => bytes.len() as u64,
            _ => 0,
        };
        let call = call.payload(payload);
        let answer = self.link.call(&self.access(), &call).await;
        let arrived = answer.as_ref().is_ok_and(|answer| answer.status().is_success());
        match &call.payload {
            Payload::File(part) if !arrived => part.take_back(),
            Payload::Bytes(_) if arrived => self.progress.forward(memory),
            _ => {}
        }
        answer
    }
}

/// What no registry can help against.
fn is_local(trouble: &Trouble) -> bool {
    matches!(trouble, Trouble::Disk { .. } | Trouble::Size { .. } | Trouble::Denied { .. })
}

/// Where a registry wants the next request of an upload.
fn place(answer: &Answer) -> Result<Url, Trouble> {
    let text = answer.header(LOCATION);
    let place = answer.url().join(text).ok().filter(|place| !text.is_empty() && place.host().is_some());
    place.ok_or_else(|| Trouble::refused(format!("{} says not where to upload", answer.host())))
}
