//! What plans are compared with: a plan document, or images with what they say of themselves.

use std::collections::BTreeSet;

use camino::Utf8Path;
use serde_json::Value;

use crate::cli::look::{self, Inspection};
use crate::cli::records::Records;
use crate::cli::session::Session;
use crate::cli::status::Stop;
use crate::oci::Platform;
use crate::plan::ImagePlan;
use crate::plan::changes::{RecordError, Recorded};

/// Largest plan document, in bytes.
const LIMIT: u64 = 1 << 30;

/// Labels that are no inputs, where nobody says which ones.
const STAMP: [&str; 2] = ["org.opencontainers.image.version", "org.opencontainers.image.description"];

/// What a word means.
pub(in crate::cli) enum Against {
    /// A plan document.
    Plans(Vec<Recorded>),
    /// Images.
    Images(Vec<Seen>),
}

/// An image, and its platform.
pub(in crate::cli) struct Seen {
    pub(in crate::cli) platform: Platform,
    pub(in crate::cli) inspection: Inspection,
}

/// Reads a plan document, or looks into an image.
pub(in crate::cli) fn read(word: &str, host: Option<&str>, session: &Session<'_>) -> Result<Against, Stop> {
    if let Some(plans) = plans(word, session)? {
        return Ok(Against::Plans(plans));
    }
    let images = look::images(word, host, session)?;
    let seen = |inspection: Inspection| {
        let platform = inspection.config.platform.parse().map_err(Stop::refused)?;
        Ok(Seen { platform, inspection })
    };
    images.into_iter().map(seen).collect::<Result<_, _>>().map(Against::Images)
}

/// The plans of a file, if it is one that begins as JSON does: archives begin otherwise.
fn plans(word: &str, session: &Session<'_>) -> Result<Option<Vec<Recorded>>, Stop> {
    let path = session.path(Utf8Path::new(word));
    let is_file = fs_err::metadata(&path).is_ok_and(|metadata| metadata.is_file() && metadata.len() <= LIMIT);
    let is_document = word.ends_with(".json") || (word.contains('/') && begins_as_json(&path));
    if !is_file || !is_document {
        return Ok(None);
    }
    let bytes = fs_err::read(&path).map_err(Stop::input)?;
    let hint = "hint: write one with `plan --format json`";
    let wrong = |why: String| Stop::input(anyhow::anyhow!("{word}: {why}\n{hint}"));
    let document: Value = serde_json::from_slice(&bytes).map_err(|error| wrong(format!("it is not JSON: {error}")))?;
    Recorded::from_plan(&document).map(Some).map_err(|error| wrong(error.to_string()))
}

fn begins_as_json(path: &Utf8Path) -> bool {
    use std::io::Read as _;
    let mut start = Vec::new();
    let read = fs_err::File::open(path).and_then(|file| file.take(64).read_to_end(&mut start));
    read.is_ok() && start.trim_ascii_start().first() == Some(&b'{')
}

impl Seen {
    /// `IMAGE[/COMPONENT][=VARIANT]`, as the image says it.
    pub(in crate::cli) fn id(&self) -> Option<String> {
        let label = |name: &str| self.inspection.config.labels.get(name);
        let image = label("dev.groupage.image")?;
        let part = label("dev.groupage.part").map(|part| format!("/{part}")).unwrap_or_default();
        let variant = label("dev.groupage.variant").map(|variant| format!("={variant}")).unwrap_or_default();
        Some(format!("{image}{part}{variant}"))
    }

    /// For messages.
    pub(in crate::cli) fn what_it_is(&self) -> String {
        match self.id() {
            Some(id) => format!("{id} for {}", self.platform),
            None => "an image that does not say what it was built from".to_owned(),
        }
    }

    /// What is known of its inputs: the record, when it was built here, else what it says itself. Its labels that are no inputs
    /// are compared with those of the plan that it should have.
    pub(in crate::cli) fn recorded(
        &self,
        records: Option<&Records>,
        planned: Option<&ImagePlan>,
    ) -> Result<Recorded, RecordError> {
        let labels = &self.inspection.config.labels;
        let built_here = records.zip(self.inspection.fingerprint());
        let by_fingerprint = built_here.and_then(|(records, own)| records.by_fingerprint(own, &self.platform));
        let record = match by_fingerprint {
            Some(record) => record,
            None => Recorded::from_image(labels, self.inspection.groupage.as_ref())?,
        };
        let planned = planned.map(|plan| plan.stamp.keys().cloned().collect());
        let keys: BTreeSet<String> = match (record.stamp_keys(), planned) {
            (Some(own), Some(planned)) => own.union(&planned).cloned().collect(),
            (own, planned) => own.or(planned).unwrap_or_else(|| STAMP.map(str::to_owned).into()),
        };
        let stamp = keys.into_iter().filter_map(|key| Some((key.clone(), labels.get(&key)?.clone())));
        Ok(record.with_stamp(&stamp.collect()))
    }
}

impl Against {
    /// The images that it has.
    pub(in crate::cli) fn what_it_is(&self) -> String {
        let ids: Vec<String> = match self {
            Self::Plans(plans) => plans.iter().map(|plan| plan.id().to_owned()).collect(),
            Self::Images(images) => images.iter().map(Seen::what_it_is).collect(),
        };
        ids.join(", ")
    }
}
