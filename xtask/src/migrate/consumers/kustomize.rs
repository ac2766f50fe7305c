//! `images:` as a Kustomize component, and a post-renderer for Helm that applies it.

use std::fmt::Write as _;

use super::{Row, rows};
use crate::migrate::ledger::{Ledger, NewTag, Wanted};

const HEAD: &str = "\
# Puts what replaced them in the place of retired images. What a container starts is not changed here.
# For `components:` of a kustomization (kubectl 1.21, Kustomize 3.7); with an older one, copy `images:` into it.
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
";

/// A Kustomize component: `components: [THIS FOLDER]` in a kustomization uses it.
/// <https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/images/>
pub fn kustomize(ledger: &Ledger, wanted: Wanted<'_>) -> String {
    format!("{HEAD}{}", images(ledger, wanted))
}

fn images(ledger: &Ledger, wanted: Wanted<'_>) -> String {
    let (mut text, mut left) = (String::new(), String::new());
    for row in rows(ledger, wanted) {
        match entry(&row) {
            Ok(entry) => text.push_str(&entry),
            Err(why) => _ = writeln!(left, "# {}: {why}", row.name),
        }
    }
    if text.is_empty() { format!("images: []\n{left}") } else { format!("images:\n{text}{left}") }
}

/// One entry, or why there is none: an old tag is never kept by leaving `newTag` out, unless tags stay the same.
fn entry(row: &Row<'_>) -> Result<String, String> {
    let Some(name) = &row.answer.name else { return Err("nothing replaces it".to_owned()) };
    if row.entry.kind == crate::manifest::RetirementKind::MustBeAbsent {
        return Err("it must not be there any more".to_owned());
    }
    let tag = match &row.answer.tag {
        NewTag::Is(tag) => tag,
        NewTag::None => match &row.answer.floor {
            Some(floor) => floor,
            None => return Ok(format!("- name: {}\n  newName: {name}\n", row.name)),
        },
        NewTag::Unknown(why) => return Err(why.clone()),
    };
    let command = row.answer.command().map(|command| format!("# its containers must start {}\n", command.join(" ")));
    Ok(format!("{}- name: {}\n  newName: {name}\n  newTag: \"{tag}\"\n", command.unwrap_or_default(), row.name))
}

/// A shell script for `helm … --post-renderer ./post-render`, which needs kubectl.
/// <https://helm.sh/docs/topics/advanced/#post-rendering>
pub fn helm_post_render(ledger: &Ledger, wanted: Wanted<'_>) -> String {
    let images = images(ledger, wanted);
    format!(
        "#!/bin/sh
# Puts what replaced them in the place of retired images, in whatever Helm has rendered:
#     helm upgrade RELEASE CHART --post-renderer ./post-render
set -eu
folder=$(mktemp -d)
trap 'rm -rf \"$folder\"' EXIT
cat > \"$folder/all.yaml\"
cat > \"$folder/kustomization.yaml\" <<'END'
resources: [all.yaml]
{images}END
kubectl kustomize \"$folder\"
"
    )
}
