//! Advice for people: at a terminal, and in a pull request.

use std::fmt::Write as _;

use super::super::bytes::iec;
use super::super::table::markdown as escaped;
use super::{Advice, ComponentAdvice, ImageAdvice, Leaning, Reason, Verdict, quoted};

/// For a terminal.
pub fn text(advice: &Advice) -> String {
    let mut text = String::new();
    for (index, image) in advice.images.iter().enumerate() {
        if index > 0 {
            text.push('\n');
        }
        _ = writeln!(text, "{} ({}): {}", image.image, image.mode, verdict(image));
        image.reasons.iter().for_each(|reason| line(&mut text, 2, reason));
        let wide = image.components.iter().map(|own| own.component.len()).max().unwrap_or(0);
        for own in &image.components {
            _ = writeln!(text, "  {:wide$}  {}{}", own.component, own.verdict.as_str(), bytes(own));
            own.reasons.iter().for_each(|reason| line(&mut text, 4, reason));
        }
        for sentence in init(image) {
            _ = writeln!(text, "  init containers: {sentence}");
        }
    }
    text
}

/// For a pull request.
pub fn markdown(advice: &Advice) -> String {
    let mut text = "## Where merging is worth it\n".to_owned();
    for image in &advice.images {
        let title = format!("{} ({}): {}", image.image, image.mode, verdict(image));
        _ = writeln!(text, "\n### {}\n", escaped(&title));
        let item = |reason: &Reason| {
            format!("{} {}", sign(reason.leans), escaped(&format!("{}: {}", reason.kind, reason.text)))
        };
        image.reasons.iter().for_each(|reason| _ = writeln!(text, "- {}", item(reason)));
        _ = writeln!(text, "\n| component | verdict | why |\n| :--- | :--- | :--- |");
        for own in &image.components {
            let reasons: Vec<String> = own.reasons.iter().map(item).collect();
            let name = format!("{}{}", own.component, bytes(own));
            _ = writeln!(text, "| {} | {} | {} |", escaped(&name), own.verdict.as_str(), reasons.join("<br>"));
        }
        text.push('\n');
        init(image).iter().for_each(|sentence| _ = writeln!(text, "- init containers: {}", escaped(sentence)));
    }
    text
}

fn verdict(image: &ImageAdvice) -> String {
    match image.verdict {
        Verdict::Split => {
            let out = quoted(image.split_off.iter().map(String::as_str));
            format!("split {out} off, merge the others")
        }
        other => other.as_str().to_owned(),
    }
}

fn line(text: &mut String, indent: usize, reason: &Reason) {
    _ = writeln!(text, "{}{} {}: {}", " ".repeat(indent), sign(reason.leans), reason.kind, reason.text);
}

/// `+` is for merging, `-` against it.
fn sign(leans: Leaning) -> char {
    match leans {
        Leaning::Merge => '+',
        Leaning::Apart => '-',
        Leaning::Neither => '·',
    }
}

fn bytes(own: &ComponentAdvice) -> String {
    own.weight.map(|weight| format!("  {}, {} gzip", iec(weight.bytes), iec(weight.gzip))).unwrap_or_default()
}

fn init(image: &ImageAdvice) -> Vec<String> {
    match (image.verdict, &image.init_containers[..]) {
        (Verdict::Nothing, []) => Vec::new(),
        (_, []) => vec!["manifests tell of no roles that are started one after the other".to_owned()],
        (_, sentences) => sentences.to_vec(),
    }
}
