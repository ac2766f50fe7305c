//! The tags of a repository, page by page.
//! <https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-tags>

use std::collections::BTreeSet;

use reqwest::header::LINK;
use reqwest::{Method, StatusCode};
use serde::Deserialize;

use super::Registry;
use super::auth::Access;
use super::http::{Answer, Call};
use super::link::{Errand, Link};
use super::target::Target;
use super::trouble::Trouble;
use crate::engine::{EngineError, Events};
use crate::oci::Reference;

/// Tags that are asked for at once. Registries give fewer where they like.
const FIRST: &str = "tags/list?n=1000";
/// Largest page, in bytes: a thousand of the longest tags have an eighth of that.
const PAGE: u64 = 1024 * 1024;
/// Most pages. Registries with pages of 100 tags can have 100,000.
const PAGES: usize = 1_000;
/// Longest tag.
const LONGEST: usize = 128;

/// One answer.
#[derive(Deserialize)]
struct Page {
    /// `null` when there are none, at some registries.
    tags: Option<Vec<String>>,
}

impl Registry {
    /// The tags of the repository of a reference, sorted by their bytes, each once. Tag and digest of the reference do not matter.
    ///
    /// # Errors
    /// [`EngineError::Registry`] when the registry cannot be had, refuses, or does not have the repository;
    /// [`EngineError::UnusableImage`] when its answer is no list of tags, or has no end.
    pub async fn tags(&self, reference: &Reference, events: &Events) -> Result<Vec<String>, EngineError> {
        self.tags_with(reference, events, false).await
    }

    /// As [`Registry::tags`], for a repository that is pushed to and may not be there yet: it has no tags then. It is asked as
    /// for a push, because some registries deny to others that there is no such repository.
    ///
    /// # Errors
    /// As [`Registry::tags`].
    pub async fn tags_so_far(&self, reference: &Reference, events: &Events) -> Result<Vec<String>, EngineError> {
        self.tags_with(reference, events, true).await
    }

    async fn tags_with(
        &self,
        reference: &Reference,
        events: &Events,
        lenient: bool,
    ) -> Result<Vec<String>, EngineError> {
        let (name, target) = (reference.to_string(), Target::of(reference));
        let access = if lenient { Access::push(&target) } else { Access::pull(&target) };
        let errand = Errand { events, image: &name, reference, action: "list the tags of" };
        let (mut tags, mut asked) = (BTreeSet::new(), BTreeSet::new());
        let mut rest = FIRST.to_owned();
        while asked.insert(rest.clone()) {
            let page = self.link.persist(&errand, async || match page(&self.link, &access, &rest).await {
                Err(Trouble::Missing { .. }) if lenient => Ok((Vec::new(), None)),
                page => page,
            });
            let (some, next) = page.await?;
            tags.extend(some.into_iter().filter(|tag| !tag.is_empty() && tag.len() <= LONGEST));
            let Some(next) = next else { break };
            if asked.len() >= PAGES {
                let end = Trouble::unusable(format!("its list of tags has more than {PAGES} pages"));
                return Err(end.into_error("list the tags of", &name, 1));
            }
            rest = next;
        }
        Ok(tags.into_iter().collect())
    }
}

/// One page, and where the next is.
async fn page(link: &Link, access: &Access, rest: &str) -> Result<(Vec<String>, Option<String>), Trouble> {
    let url = link.url(&access.target, rest).await?;
    let answer = link.call(access, &Call::new(Method::GET, url)).await?;
    if answer.status() != StatusCode::OK {
        return Err(answer.trouble(&access.target.login()).await);
    }
    let next = next(&answer);
    let Some(bytes) = answer.bytes(PAGE).await? else {
        return Err(Trouble::unusable(format!("a page of its tags has more than {PAGE} bytes")));
    };
    let page: Page = serde_json::from_slice(&bytes).map_err(|_| Trouble::unusable("its list of tags is not one"))?;
    Ok((page.tags.unwrap_or_default(), next))
}

/// Where the next page is. Of the address only its query counts: it may name a host that is not this one's name
/// outside, and what is asked for is a page of this repository in any case.
fn next(answer: &Answer) -> Option<String> {
    query(answer.header(LINK)).map(|query| format!("tags/list?{query}"))
}

/// The query in `Link: <…>; rel="next"`.
pub(super) fn query(header: &str) -> Option<&str> {
    let link = header.split(',').find(|link| {
        let relation = link.split(';').skip(1).filter_map(|part| part.trim().strip_prefix("rel="));
        relation.into_iter().any(|relation| relation.trim_matches('"').eq_ignore_ascii_case("next"))
    });
    let address = link?.trim().strip_prefix('<')?.split_once('>')?.0;
    address.split_once('?').map(|(_, query)| query).filter(|query| !query.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_pages() {
        let check = |header: &str, expect| assert_eq!(query(header), expect, "{header}");
        check("</v2/a/b/tags/list?n=2&last=c>; rel=\"next\"", Some("n=2&last=c"));
        check("<https://r.example/v2/a/b/tags/list?last=c>;rel=next", Some("last=c"));
        check("</a?x>; rel=\"prev\", </a?y>; rel=\"next\"", Some("y"));
        for none in ["", "</a?x>", "</a>; rel=\"next\"", "a?x; rel=\"next\"", "</a?x; rel=\"next\""] {
            check(none, None);
        }
    }
}
