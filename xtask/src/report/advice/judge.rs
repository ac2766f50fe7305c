//! From reasons to verdicts.

use super::{
    Advice, ComponentAdvice, ComponentFacts, ImageAdvice, ImageFacts, Leaning, Reason, Verdict, base, boundary,
    cadence, dominance, init, platform, port, rule, sharing, user,
};

/// Format of the document.
const SCHEMA: u32 = 1;

/// What one file says about a component of an image.
type OfComponent = fn(&ImageFacts, &ComponentFacts) -> Vec<Reason>;

/// In the order in which they are told.
const OF_COMPONENT: [OfComponent; 8] = [
    dominance::reasons,
    boundary::reasons,
    cadence::reasons,
    base::reasons,
    platform::reasons,
    port::reasons,
    rule::reasons,
    sharing::reasons,
];

/// Says of each image what to do, and why.
pub fn advise(images: &[ImageFacts]) -> Advice {
    Advice { schema: SCHEMA, images: images.iter().map(image).collect() }
}

fn image(facts: &ImageFacts) -> ImageAdvice {
    let components: Vec<ComponentAdvice> = facts.components.iter().map(|own| component(facts, own)).collect();
    let started: Vec<&str> = facts.started().map(|component| component.name.as_str()).collect();
    let apart: Vec<&str> = components
        .iter()
        .filter(|own| own.verdict == Verdict::KeepApart && started.contains(&own.component.as_str()))
        .map(|own| own.component.as_str())
        .collect();
    let verdict = match (started.len(), apart.len()) {
        (0 | 1, _) => Verdict::Nothing,
        (_, 0) => Verdict::Merge,
        (all, out) if all - out >= 2 => Verdict::Split,
        _ => Verdict::KeepApart,
    };
    let split_off =
        if verdict == Verdict::Split { apart.iter().map(|name| (*name).to_owned()).collect() } else { Vec::new() };
    ImageAdvice {
        image: facts.id.clone(),
        mode: facts.mode.clone(),
        verdict,
        split_off,
        reasons: whole(facts),
        components,
        init_containers: init::candidates(facts),
    }
}

fn component(image: &ImageFacts, own: &ComponentFacts) -> ComponentAdvice {
    let reasons: Vec<Reason> = OF_COMPONENT.iter().flat_map(|reasons| reasons(image, own)).collect();
    let is_apart = reasons.iter().any(|reason| reason.leans == Leaning::Apart);
    let verdict = if is_apart { Verdict::KeepApart } else { Verdict::Merge };
    ComponentAdvice { component: own.name.clone(), verdict, reasons, weight: own.weight }
}

/// What concerns all components at once.
fn whole(image: &ImageFacts) -> Vec<Reason> {
    let mut reasons = Vec::new();
    reasons.extend(dominance::unknown(image));
    reasons.extend(user::reasons(image));
    reasons.extend(sharing::of_image(image));
    reasons.extend(rule::of_image(image));
    reasons
}
