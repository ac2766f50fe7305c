//! Properties of plans whose components and files depend on the platform.

use std::collections::BTreeMap;

use camino::Utf8Path;
use groupage::lock::Pins;
use groupage::manifest::Manifests;
use groupage::oci::Platform;
use groupage::plan::{self, ImagePlan, PrunedWorkspaces, Read};
use groupage::resolve::{Overrides, Packages, Selection, resolve};
use groupage::workspace::{Entry, EntryKind, Seen, Tree};
use proptest::prelude::*;

use super::{check, parsed};

const PLATFORMS: [&str; 4] = ["linux/amd64", "linux/arm64", "linux/arm/v7", "windows/amd64"];

/// One component: whether its file depends on the platform, whether it has a role, and where its own manifest and the image
/// leave it out.
#[derive(Debug, Clone)]
struct Part {
    depends: bool,
    has_role: bool,
    own: Vec<bool>,
    by_image: Vec<bool>,
}

#[derive(Debug, Clone)]
struct Image {
    platforms: usize,
    parts: Vec<Part>,
}

/// Images; with `plain` none of them depends on the platform.
fn image(plain: bool) -> impl Strategy<Value = Image> {
    let weight = if plain { 0.0 } else { 0.2 };
    let mask = move || proptest::collection::vec(proptest::bool::weighted(weight), PLATFORMS.len());
    let part = (proptest::bool::weighted(weight * 2.0), any::<bool>(), mask(), mask());
    let part = part.prop_map(|(depends, has_role, own, by_image)| Part { depends, has_role, own, by_image });
    let parts = proptest::collection::vec(part, 1..4);
    (1..=PLATFORMS.len(), parts).prop_map(|(platforms, parts)| Image { platforms, parts })
}

fn list(mask: &[bool], backwards: bool) -> String {
    let mut names: Vec<String> =
        PLATFORMS.iter().zip(mask).filter(|(_, on)| **on).map(|(name, _)| format!("{name:?}")).collect();
    if backwards {
        names.reverse();
    }
    format!("[{}]", names.join(", "))
}

fn files(image: &Image, backwards: bool) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut components = Vec::new();
    for (index, part) in image.parts.iter().enumerate() {
        let from = if part.depends { "{os}/{arch}/file" } else { "file" };
        let role = match part.has_role {
            true => format!(
                "[roles.r{index}]\ncommand = [\"/bin/f{index}\"]\nuser = \"{index}:1\"\nports = [{{ port = 80{index} }}]\nenv = {{ E{index} = \"x\" }}\n"
            ),
            false => String::new(),
        };
        let text = format!(
            "schema = 1\nname = \"c{index}\"\nowner = \"@team\"\nversion = \"1.0.0\"\nexclude-platforms = {}\nbuild = {{ files = {{}} }}\n\n\
             [[install]]\nfrom = \"{from}\"\nto = \"/bin/f{index}\"\nmode = \"0755\"\n{role}",
            list(&part.own, backwards)
        );
        files.insert(format!("components/c{index}/component.toml"), text);
        components.push(format!("c{index} = {{ exclude-platforms = {} }}\n", list(&part.by_image, backwards)));
    }
    if backwards {
        components.reverse();
    }
    let platforms = list(&PLATFORMS.map(|name| PLATFORMS[..image.platforms].contains(&name)), backwards);
    let text = format!(
        "schema = 1\nname = \"app\"\nversion = \"1.0.0\"\nbase = \"scratch\"\nplatforms = {platforms}\n[components]\n{}",
        components.concat()
    );
    files.insert("images/app/image.toml".to_owned(), text);
    files
}

/// The plan; `None` where a platform would have nothing. Each file has a digest of its path, and of `mark` if its path holds it.
fn planned(manifests: &Manifests, platforms: &[Platform], mark: &str) -> Option<ImagePlan> {
    let selection = Selection { platforms: platforms.to_vec(), ..Selection::default() };
    let resolution = match resolve(manifests, &Packages::new(), &selection, &Overrides::default()) {
        Ok(resolution) => resolution,
        Err(problems) => {
            assert!(problems.iter().all(|problem| problem.code == "nothing-on-platform"), "{problems:?}");
            return None;
        }
    };
    let (pruned, root, mut tree) = (PrunedWorkspaces::new(), Utf8Path::new("/w"), Tree::default());
    for want in plan::wants(&resolution, &pruned, root) {
        let marked = !mark.is_empty() && want.path.as_str().contains(mark);
        let digest = format!("digest of {}{}", want.path, if marked { " changed" } else { "" });
        let entry =
            Entry { path: "".into(), kind: EntryKind::File { digest, mode: 0o644, size: 1, seen: Seen::default() } };
        tree.insert(want.path, want.exclude, vec![entry]);
    }
    let read = Read { tree: &tree, root, templates: &Default::default(), pruned: &pruned, go: &Default::default() };
    let mut plan = plan::plan(&resolution, &Pins::default(), &read).expect("nothing is missing");
    plan.images.pop()
}

#[test]
fn where_nothing_depends_on_the_platform_only_platforms_changes() {
    check(100, &image(true), |image| {
        let plan = planned(&parsed(&files(&image, false)), &[], "").expect("nothing is excluded");
        prop_assert!(!plan.depends_on_platform());
        for platform in &plan.platforms {
            let expect = ImagePlan { platforms: vec![platform.clone()], ..plan.clone() };
            prop_assert_eq!(plan.for_platform(platform), expect);
        }
        Ok(())
    });
}

#[test]
fn a_platform_is_the_same_alone_and_among_others() {
    check(300, &image(false), |image| {
        let manifests = parsed(&files(&image, false));
        let Some(plan) = planned(&manifests, &[], "") else { return Ok(()) };
        for platform in &plan.platforms {
            let own = plan.for_platform(platform);
            prop_assert!(!own.depends_on_platform());
            prop_assert_eq!(&own.for_platform(platform), &own);
            prop_assert_eq!(planned(&manifests, std::slice::from_ref(platform), ""), Some(own));
        }
        Ok(())
    });
}

#[test]
fn a_platform_holds_what_nobody_excludes() {
    check(300, &image(false), |image| {
        let Some(plan) = planned(&parsed(&files(&image, false)), &[], "") else { return Ok(()) };
        for platform in &plan.platforms {
            let index = PLATFORMS.iter().position(|name| *name == platform.to_string()).expect("it is one of them");
            let own = plan.for_platform(platform);
            for (number, part) in image.parts.iter().enumerate() {
                let is_in = !part.own[index] && !part.by_image[index];
                let found = own.components.iter().find(|found| found.name.as_str() == format!("c{number}"));
                prop_assert_eq!(found.is_some(), is_in);
                let label = own.config.labels.get("dev.groupage.components").cloned().unwrap_or_default();
                prop_assert_eq!(label.contains(&format!("c{number}@")), is_in);
                prop_assert_eq!(own.config.env.contains_key(&format!("E{number}")), is_in && part.has_role);
                let sources =
                    found.iter().flat_map(|found| found.files.values()).map(|file| format!("{:?}", file.input));
                let folder = if part.depends { format!("/{}/", platform.os()) } else { "/file".to_owned() };
                let sources: Vec<String> = sources.collect();
                prop_assert!(sources.len() == usize::from(is_in) && sources.iter().all(|path| path.contains(&folder)));
            }
        }
        Ok(())
    });
}

#[test]
fn a_change_on_one_platform_is_none_on_another() {
    check(200, &image(false), |image| {
        let manifests = parsed(&files(&image, false));
        let Some(before) = planned(&manifests, &[], "") else { return Ok(()) };
        let after = planned(&manifests, &[], "linux/arm64").expect("it was there before");
        let mut some_changed = false;
        for platform in &before.platforms {
            let changed = before.for_platform(platform).fingerprint != after.for_platform(platform).fingerprint;
            prop_assert!(!changed || platform.to_string() == "linux/arm64");
            some_changed |= changed;
        }
        prop_assert_eq!(before.fingerprint != after.fingerprint, some_changed);
        Ok(())
    });
}

#[test]
fn the_order_of_platforms_does_not_change_a_byte() {
    check(100, &image(false), |image| {
        let json = |backwards| {
            let plan = planned(&parsed(&files(&image, backwards)), &[], "");
            serde_json::to_string(&plan).expect("a plan is data")
        };
        prop_assert_eq!(json(false), json(true));
        Ok(())
    });
}
