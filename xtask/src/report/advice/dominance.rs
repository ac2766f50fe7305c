//! `dominance`: one component is most of the bytes, so that everybody else would pull it for nothing.

use super::super::bytes::{iec, share};
use super::{ComponentFacts, ImageFacts, Reason};

const KIND: &str = "dominance";

/// From this share of the bytes on, in percent, a component dominates. At 60 % the image is two and a half times what all other
/// roles need together; VolSync merged five movers of which one is 73 %, and users of the other four complained. Of two
/// components of about one size none dominates.
pub(super) const SHARE: u64 = 60;

/// Below so many bytes, as a registry gets them, nobody dominates: 10 MiB are pulled in about a second at 100 Mbit/s, and one
/// more image costs each release a push, a scan and a mirror operation for each platform.
pub(super) const FLOOR: u64 = 10 << 20;

pub(super) fn reasons(image: &ImageFacts, own: &ComponentFacts) -> Vec<Reason> {
    let (Some(all), Some(weight)) = (image.weight(), own.weight) else { return Vec::new() };
    let others = image.started().filter(|other| other.name != own.name).count();
    let part = u128::from(weight.gzip) * 100 >= u128::from(all.gzip) * u128::from(SHARE);
    let figures =
        format!("{} of the bytes: {} of {} gzip", share(weight.gzip, all.gzip), iec(weight.gzip), iec(all.gzip));
    let reason = match (part && others > 0 && !own.roles.is_empty(), weight.gzip >= FLOOR) {
        (true, true) => {
            let text = format!(
                "it is {figures} (from {SHARE} % and {} on), which {others} other components would pull with it",
                iec(FLOOR)
            );
            Reason::apart(KIND, text)
        }
        (true, false) => {
            let text = format!("it is {figures}, but less than {} in all, so that nobody pays much for it", iec(FLOOR));
            Reason::neither(KIND, text)
        }
        (false, _) => Reason::neither(KIND, format!("it is {figures}")),
    };
    vec![reason]
}

/// Without sizes no advice rests on them.
pub(super) fn unknown(image: &ImageFacts) -> Option<Reason> {
    let missing = image.components.iter().any(|component| component.weight.is_none());
    missing.then(|| {
        Reason::neither(KIND, "sizes not known: build first, with `report` or `build --mode split`".to_owned())
    })
}
