//! What the daemon has, asked once: every image with its labels and names. It answers which images of a run are there already,
//! and what is behind the names that a plan leaves open.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use bollard::models::ImageSummary;
use bollard::query_parameters::ListImagesOptionsBuilder;

use super::host::Host;
use super::{Docker, connect, errors};
use crate::engine::{EngineError, Present, Proofs};
use crate::oci::{ImageSource, Reference};

/// The images of a daemon at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stock {
    /// Sorted by image ID.
    images: Vec<Image>,
    /// Positions in the list, by reference, written out in full.
    by_name: BTreeMap<String, usize>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Image {
    labels: BTreeMap<String, String>,
    /// `repository@sha256:…`, written out in full.
    digests: BTreeSet<String>,
    /// In seconds since 1970.
    created: i64,
    present: Present,
}

impl Docker {
    /// Asks for all images, in one call. The daemon could look for labels itself; then what is behind names would be another
    /// question, and the answer to this one takes it no longer.
    ///
    /// # Errors
    /// What the daemon says.
    pub async fn stock(&self) -> Result<Stock, EngineError> {
        list(&self.api).await
    }
}

/// As [`Docker::stock`], of a daemon that nobody knows yet.
pub(super) async fn of(host: &Host) -> Result<Stock, EngineError> {
    list(&connect::patient(host)?).await
}

async fn list(api: &bollard::Docker) -> Result<Stock, EngineError> {
    let options = ListImagesOptionsBuilder::default().build();
    let list = api.list_images(Some(options)).await;
    Ok(Stock::new(list.map_err(|error| errors::other("list the images of the daemon", &error))?))
}

impl Stock {
    fn new(list: Vec<ImageSummary>) -> Self {
        let mut images: Vec<Image> = list.into_iter().map(Image::new).collect();
        images.sort_by(|a, b| a.present.image_id.cmp(&b.present.image_id));
        let names = |image: &Image| image.present.names.union(&image.digests).cloned().collect::<Vec<_>>();
        let all = images.iter().enumerate();
        let by_name = all.flat_map(|(index, image)| names(image).into_iter().map(move |name| (name, index))).collect();
        Self { images, by_name }
    }

    /// The image IDs behind names, as a plan writes them; what the daemon does not have is left out.
    pub fn behind(&self, names: impl IntoIterator<Item = String>) -> BTreeMap<String, String> {
        let id = |name: String| {
            let source: ImageSource = name.parse().ok()?;
            let id = self.id(source.docker_reference()?)?.to_owned();
            Some((name, id))
        };
        names.into_iter().filter_map(id).collect()
    }

    /// Whether an image ID is there.
    pub fn has(&self, image_id: &str) -> bool {
        self.images.iter().any(|image| image.present.image_id == image_id)
    }

    /// The image ID behind a name.
    pub fn id(&self, name: &Reference) -> Option<&str> {
        self.by_name.get(&full_name(name)).map(|index| self.images[*index].present.image_id.as_str())
    }

    /// An image with all of these labels; of several one that is known to keep its contract, so that one which was refused is
    /// in nobody's way, and then one that has a name asked for, so that none has to move.
    pub fn labelled(&self, labels: &BTreeMap<String, String>, names: &[String], proofs: &Proofs) -> Option<&Present> {
        let fitting = self.having(labels).map(|image| &image.present);
        fitting.min_by_key(|image| {
            let is_named = names.iter().any(|name| image.is_named(name));
            Reverse((proofs.has(&image.image_id), is_named))
        })
    }
}

impl Stock {
    /// The image ID of the image with all of these labels that a name asked for names, else of the youngest one.
    pub fn latest(&self, labels: &BTreeMap<String, String>, names: &[String]) -> Option<&str> {
        let is_named = |image: &Image| names.iter().any(|name| image.present.is_named(name));
        let latest = self.having(labels).max_by_key(|image| (is_named(image), image.created))?;
        Some(&latest.present.image_id)
    }

    /// Whether the daemon tells the digests of manifests of images that no registry has: that is the containerd image store.
    pub fn is_of_containerd(&self) -> bool {
        self.images.iter().any(|image| image.present.digest.is_some())
    }

    fn having<'s, 'l>(&'s self, labels: &'l BTreeMap<String, String>) -> impl Iterator<Item = &'s Image> + use<'s, 'l> {
        let has_all = move |image: &&Image| labels.iter().all(|(name, value)| image.labels.get(name) == Some(value));
        self.images.iter().filter(has_all)
    }
}

impl Image {
    fn new(summary: ImageSummary) -> Self {
        // what has no name is `<none>:<none>` or `<none>@<none>`, which are no references
        let full =
            |list: Vec<String>| list.iter().filter_map(|name| name.parse().ok()).map(|name| full_name(&name)).collect();
        let digest = summary.descriptor.and_then(|descriptor| descriptor.digest);
        let present = Present { image_id: summary.id, digest, names: full(summary.repo_tags) };
        let (labels, created) = (summary.labels.into_iter().collect(), summary.created);
        Self { labels, digests: full(summary.repo_digests), created, present }
    }
}

impl Present {
    /// Whether a reference names it.
    pub fn is_named(&self, name: &str) -> bool {
        name.parse().is_ok_and(|name| self.names.contains(&full_name(&name)))
    }
}

/// Registry, `library/` and `latest` written out; where there is a digest the tag says nothing.
fn full_name(name: &Reference) -> String {
    let all = name.without_digest().canonical();
    let path = match name.tag() {
        Some(tag) => all.strip_suffix(tag).unwrap_or(&all).trim_end_matches(':'),
        None => &all,
    };
    match (name.digest(), name.tag()) {
        (Some(digest), _) => format!("{path}@{digest}"),
        (None, tag) => format!("{path}:{}", tag.unwrap_or("latest")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(id: &str, names: &[&str], labels: &[(&str, &str)]) -> ImageSummary {
        let owned = |text: &&str| (*text).to_owned();
        ImageSummary {
            id: id.to_owned(),
            repo_tags: names.iter().filter(|name| !name.contains('@')).map(owned).collect(),
            repo_digests: names.iter().filter(|name| name.contains('@')).map(owned).collect(),
            labels: labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            ..ImageSummary::default()
        }
    }

    fn labels(list: &[(&str, &str)]) -> BTreeMap<String, String> {
        list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn names_are_found_in_any_spelling() {
        let stock = Stock::new(vec![
            summary("sha256:b", &["busybox:latest", "r.example:5000/a:1", "r.example:5000/a@sha256:00"], &[]),
            summary("sha256:a", &["<none>:<none>", "<none>@<none>"], &[]),
        ]);
        let check = |name: &str, expect| assert_eq!(stock.id(&name.parse().unwrap()), expect, "{name}");
        let digest = |digit: &str| format!("r.example:5000/a:2@sha256:{}", digit.repeat(64));
        check("docker.io/library/busybox", Some("sha256:b"));
        check("busybox:latest", Some("sha256:b"));
        check("busybox:1", None);
        check("r.example:5000/a:1", Some("sha256:b"));
        check("a:1", None);
        check(&digest("0"), None);
        let one = summary("sha256:c", &[&digest("1").replace(":2@", "@")], &[]);
        assert_eq!(Stock::new(vec![one]).id(&digest("1").parse().unwrap()), Some("sha256:c"));
    }

    #[test]
    fn labels_are_all_compared() {
        let stock = Stock::new(vec![
            summary("sha256:1", &[], &[("f", "x"), ("p", "amd64"), ("v", "1")]),
            summary("sha256:2", &["a:1"], &[("f", "x"), ("p", "amd64"), ("v", "1"), ("inherited", "")]),
            summary("sha256:3", &["a:2"], &[("f", "x"), ("p", "arm64"), ("v", "1")]),
        ]);
        let check = |wanted: &[(&str, &str)], names: &[&str], expect: Option<&str>| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            let found = stock.labelled(&labels(wanted), &names, &Proofs::default());
            assert_eq!(found.map(|image| image.image_id.as_str()), expect, "{wanted:?} {names:?}");
        };
        let amd64 = &[("f", "x"), ("p", "amd64"), ("v", "1")];
        check(amd64, &[], Some("sha256:1"));
        check(amd64, &["docker.io/library/a:1"], Some("sha256:2"));
        check(&[("f", "x"), ("p", "arm64")], &["a:1"], Some("sha256:3"));
        check(&[("f", "x"), ("v", "2")], &[], None);
        check(&[("f", "y")], &["a:1"], None);
    }

    #[test]
    fn one_that_keeps_its_contract_comes_first() {
        let folder = tempfile::tempdir().unwrap();
        let store = crate::engine::store::Store::open(camino::Utf8Path::from_path(folder.path()).unwrap()).unwrap();
        let proofs = Proofs::of(Some(store));
        let id = |digit: &str| format!("sha256:{}", digit.repeat(64));
        let same = &[("f", "x")];
        let stock = Stock::new(vec![
            summary(&id("1"), &[], same),
            summary(&id("2"), &["a:1"], same),
            summary(&id("3"), &[], same),
            summary(&id("4"), &["a:2"], same),
        ]);
        let check = |name: &str, expect: &str| {
            let found = stock.labelled(&labels(same), &[name.to_owned()], &proofs);
            assert_eq!(found.map(|image| image.image_id.clone()), Some(id(expect)), "{name}");
        };
        check("a:0", "1");
        check("a:1", "2");
        proofs.add(&id("3"));
        check("a:0", "3");
        check("a:1", "3");
        proofs.add(&id("4"));
        check("a:1", "3");
        check("a:2", "4");
    }

    #[test]
    fn the_latest_has_the_name_or_is_the_youngest() {
        let image = |id: &str, names: &[&str], created| ImageSummary { created, ..summary(id, names, &[("i", "x")]) };
        let stock =
            Stock::new(vec![image("sha256:1", &["a:1"], 1), image("sha256:2", &[], 3), image("sha256:3", &[], 2)]);
        let check = |label: &str, name: &str, expect: Option<&str>| {
            assert_eq!(stock.latest(&labels(&[("i", label)]), &[name.to_owned()]), expect, "{label} {name}");
        };
        check("x", "a:1", Some("sha256:1"));
        check("x", "a:2", Some("sha256:2"));
        check("y", "a:1", None);
    }
}
