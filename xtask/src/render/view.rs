//! What templates see. Every text is quoted for its place, every list exists even when it is empty: Handlebars' strict mode
//! then turns a misspelt field into an error instead of nothing.

use serde::Serialize;

use super::dockerfile::{self, DockerfileView};
use super::layout::Layout;
use super::quote;
use crate::dockerfile::double_quoted;
use crate::manifest::{HealthTest, Healthcheck, Link};
use crate::oci::{ImageSource, Reference};
use crate::plan::{BuildPlan, ComponentPlan, ImagePlan, InstallPlan};

/// Folder of a component's context that its build stage gets.
pub(super) const SOURCE_FOLDER: &str = "src";
/// Folder of a component's context that is the build context of its own Dockerfile.
pub(crate) const CONTEXT_FOLDER: &str = "ctx";
/// Folder of a component's context that is laid out as in the image.
pub(super) const ROOT_FOLDER: &str = "root";
/// Folder of the image's own description, in the context and in the image.
pub(super) const DESCRIPTION_FOLDER: &str = ".groupage";

/// A Dockerfile.
#[derive(Debug, Serialize)]
pub(super) struct ImageView {
    image: String,
    definition: String,
    base: String,
    /// Lines that install packages of all components.
    packages: Vec<String>,
    components: Vec<ComponentView>,
    description_copy: String,
    copy_flags: &'static str,
    labels: Vec<Pair>,
    env: Vec<Pair>,
    ports: Vec<String>,
    workdir: String,
    user: String,
    entrypoint: String,
    /// Default arguments in JSON form, or nothing.
    cmd: String,
    /// In JSON form, or nothing.
    volumes: String,
    stop_signal: String,
    /// What follows `HEALTHCHECK`, or nothing.
    healthcheck: String,
    /// Whether the base may bring an entry point and arguments, which must not be inherited.
    resets: bool,
}

/// A name and a quoted value.
#[derive(Debug, Serialize)]
struct Pair {
    name: String,
    value: String,
}

/// The stages of one component.
#[derive(Debug, Serialize)]
pub(super) struct ComponentView {
    name: String,
    version: String,
    features: String,
    /// `COPY` lines into the image, in JSON form.
    copies: Vec<String>,
    /// Name of the template.
    template: &'static str,
    /// Whether it puts any file into the image.
    has_files: bool,
    /// Whether some of them come as they are.
    has_root: bool,
    /// Image that the build stage begins with.
    builder: String,
    /// `COPY` of the inputs, in JSON form; empty when there are none.
    source_copy: String,
    /// `COPY` of files and links that come as they are; empty when there are none.
    root_copy: String,
    copy_flags: &'static str,
    /// `COPY` lines out of the build stage.
    installs: Vec<InstallView>,
    env: Vec<Pair>,
    /// Commands in JSON form.
    commands: Vec<String>,
    cargo: CargoView,
    dockerfile: DockerfileView,
    /// Lines of the image's own stage, before the copies.
    steps: Vec<String>,
    go: GoView,
}

#[derive(Debug, Serialize)]
struct InstallView {
    /// `--chmod=0755 `, or nothing.
    chmod: String,
    /// From and to, in JSON form.
    paths: String,
    /// Path in the build stage, quoted for a shell.
    from: String,
    /// Octal mode, or nothing.
    mode: String,
    /// Path below `/out`, quoted for a shell.
    to: String,
}

#[derive(Debug, Default, Serialize)]
struct CargoView {
    package: String,
    bin: String,
    /// `--no-default-features --features a,b`.
    feature_flags: String,
    /// `--offline --locked`.
    lock_flags: String,
    static_link: bool,
    vendored: bool,
}

#[derive(Debug, Default, Serialize)]
struct GoView {
    /// Folder of the module, quoted for a shell.
    module: String,
    package: String,
    bin: String,
    /// `-tags=a,b -ldflags='-s -w'`, quoted for a shell, with a blank before each.
    flags: String,
    /// Value of `GOWORK`.
    work: String,
    /// Value of `CGO_ENABLED`.
    cgo_enabled: &'static str,
    /// Whether the builder is one of the target's platform.
    cgo: bool,
    /// `vendor` or `readonly`.
    modules: &'static str,
    vendored: bool,
}

/// The view of an image.
pub(super) fn image(plan: &ImagePlan) -> ImageView {
    let copy_flags = if plan.link { "--link " } else { "" };
    let mut labels = plan.config.labels.clone();
    labels.extend(plan.stamp.clone());
    ImageView {
        image: plan.id.clone(),
        definition: quote::comment(plan.dockerfile.with_file_name("image.toml").as_str()),
        base: plan.base.image.as_ref().map_or_else(|| "scratch".to_owned(), source),
        components: plan.components.iter().map(|part| component(part, copy_flags, plan.base.image.is_none())).collect(),
        packages: dockerfile::packages(plan),
        description_copy: quote::json(&[format!("{DESCRIPTION_FOLDER}/"), format!("/{DESCRIPTION_FOLDER}/")]),
        copy_flags,
        labels: pairs(&labels, double_quoted),
        env: pairs(&plan.config.env, str::to_owned),
        ports: plan.config.ports.clone(),
        workdir: plan.config.workdir.clone(),
        user: plan.config.user.clone().unwrap_or_default(),
        resets: plan.base.image.is_some(),
        entrypoint: list(&plan.config.entrypoint),
        cmd: list(&plan.config.cmd),
        volumes: list(&plan.config.volumes.iter().map(ToString::to_string).collect::<Vec<_>>()),
        stop_signal: plan.config.stop_signal.as_ref().map(ToString::to_string).unwrap_or_default(),
        healthcheck: plan.config.healthcheck.as_ref().map(healthcheck).unwrap_or_default(),
    }
}

/// A list in JSON form; nothing for an empty one.
fn list(words: &[String]) -> String {
    if words.is_empty() { String::new() } else { quote::json(words) }
}

fn healthcheck(check: &Healthcheck) -> String {
    let times = [("interval", check.interval), ("timeout", check.timeout), ("start-period", check.start_period)];
    let times = times.into_iter().filter_map(|(name, time)| Some(format!("--{name}={} ", time?)));
    let retries = check.retries.map(|retries| format!("--retries={retries} "));
    let options: String = times.chain(retries).collect();
    match &check.test {
        HealthTest::Disabled => "NONE".to_owned(),
        HealthTest::Command(words) => format!("{options}CMD {}", quote::json(words)),
        HealthTest::Shell(line) => format!("{options}CMD {line}"),
    }
}

/// The view of each component of an image, in order.
pub(super) fn stages(plan: &ImagePlan) -> Vec<ComponentView> {
    image(plan).components
}

impl ComponentView {
    /// Name of its template.
    pub(super) fn template(&self) -> &'static str {
        self.template
    }

    /// Whether it has a stage at all.
    pub(super) fn has_files(&self) -> bool {
        self.has_files
    }
}

fn pairs(map: &std::collections::BTreeMap<String, String>, name: impl Fn(&str) -> String) -> Vec<Pair> {
    map.iter().map(|(key, value)| Pair { name: name(key), value: double_quoted(value) }).collect()
}

fn component(plan: &ComponentPlan, copy_flags: &'static str, scratch: bool) -> ComponentView {
    let layout = Layout::of(plan, scratch);
    let has_root = !plan.files.is_empty() || !plan.links.is_empty();
    let features: Vec<&str> = plan.features.iter().map(|feature| feature.as_str()).collect();
    let folder = |folder: &str, to: &str, there: bool| {
        if there { quote::json(&[format!("{}/{folder}/", plan.name), to.to_owned()]) } else { String::new() }
    };
    let merged = merged(plan);
    let mut view = ComponentView {
        name: plan.name.to_string(),
        version: if merged.is_empty() { quote::comment(&plan.version) } else { "program".to_owned() },
        features: if merged.is_empty() { features.join(", ") } else { merged },
        copies: layout.copies().iter().map(|(from, to)| quote::json(&[from, to])).collect(),
        template: "stages/files",
        has_root,
        has_files: has_root || !plan.installs.is_empty(),
        builder: String::new(),
        source_copy: folder(inputs_folder(&plan.build), "./", !plan.inputs.is_empty()),
        root_copy: folder(ROOT_FOLDER, "/", has_root),
        copy_flags,
        installs: plan.installs.iter().map(|part| install(part, &layout)).collect(),
        env: Vec::new(),
        commands: Vec::new(),
        cargo: CargoView::default(),
        dockerfile: DockerfileView::default(),
        steps: Vec::new(),
        go: GoView::default(),
    };
    add_build(&mut view, &plan.build);
    view
}

/// The folder of a component's context with what its build reads.
pub(super) fn inputs_folder(build: &BuildPlan) -> &'static str {
    if build.dockerfile().is_some() { CONTEXT_FOLDER } else { SOURCE_FOLDER }
}

/// The components of a multi-call program, which has neither a version nor features.
fn merged(plan: &ComponentPlan) -> String {
    match &plan.build {
        BuildPlan::Cargo { merged, .. } => merged.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", "),
        _ => String::new(),
    }
}

fn add_build(view: &mut ComponentView, build: &BuildPlan) {
    match build {
        BuildPlan::Files => {}
        BuildPlan::Dockerfile { plan } => {
            view.template = "stages/dockerfile";
            view.dockerfile = DockerfileView::of(plan);
            view.steps = dockerfile::steps(plan, &view.name, view.copy_flags);
            if !plan.has_installs() {
                view.installs.clear();
            }
            // a stage may be there for a mount only
            view.has_files =
                view.has_root || plan.folders() > 0 || !view.installs.is_empty() || !plan.stages.is_empty();
        }
        BuildPlan::Image { image, .. } => {
            view.template = "stages/image";
            view.builder = source(image);
        }
        BuildPlan::Script { builder, commands, env } => {
            view.template = "stages/script";
            view.builder = reference(builder);
            view.commands = commands.iter().map(|command| quote::json(&["/bin/sh", "-euc", command])).collect();
            view.env = pairs(env, str::to_owned);
        }
        BuildPlan::Go { builder, module, package, bin, tags, ldflags, cgo, vendored, work } => {
            view.template = "stages/go";
            view.builder = reference(builder);
            let work = work.as_ref().map_or_else(|| "off".to_owned(), |work| quote::shell(&format!("/src/{work}")));
            view.go = GoView {
                module: quote::shell(format!("/src/{module}").trim_end_matches('/')),
                package: quote::shell(package),
                bin: bin.clone(),
                flags: go_flags(tags, ldflags),
                work,
                cgo_enabled: if *cgo { "1" } else { "0" },
                cgo: *cgo,
                modules: if *vendored { "vendor" } else { "readonly" },
                vendored: *vendored,
            };
        }
        BuildPlan::Cargo { builder, package, bin, features, default_features, flags, link, vendored, .. } => {
            view.template = "stages/cargo";
            view.builder = reference(builder);
            view.cargo = CargoView {
                package: package.clone(),
                bin: bin.clone(),
                feature_flags: feature_flags(features, *default_features),
                lock_flags: flags.iter().map(|flag| format!(" {flag}")).collect(),
                static_link: *link == Link::Static,
                vendored: *vendored,
            };
        }
    }
}

/// An image for `FROM`. Files and folders never get here: such a plan has no Dockerfile.
fn source(image: &ImageSource) -> String {
    image.docker_reference().map_or_else(|| image.to_string(), reference)
}

/// A reference for `FROM`. A bare name could also be that of a stage, so it is written out in full.
fn reference(image: &Reference) -> String {
    let bare = image.tag().is_none() && image.digest().is_none() && !image.to_string().contains('/');
    if bare { image.canonical() } else { image.to_string() }
}

fn feature_flags(features: &[String], default_features: bool) -> String {
    let mut flags = String::new();
    if !default_features {
        flags.push_str(" --no-default-features");
    }
    if !features.is_empty() {
        flags.push_str(&format!(" --features {}", features.join(",")));
    }
    flags
}

fn go_flags(tags: &[String], ldflags: &[String]) -> String {
    let tags = (!tags.is_empty()).then(|| format!("-tags={}", tags.join(",")));
    let ldflags = (!ldflags.is_empty()).then(|| format!("-ldflags={}", ldflags.join(" ")));
    tags.into_iter().chain(ldflags).map(|flag| format!(" {}", quote::shell(&flag))).collect()
}

fn install(install: &InstallPlan, layout: &Layout) -> InstallView {
    let to = format!("/{}", layout.place(&install.to, install.to.folder()));
    InstallView {
        chmod: install.mode.map(|mode| format!("--chmod={mode:04o} ")).unwrap_or_default(),
        paths: quote::json(&[&install.from, &to]),
        from: quote::shell(&install.from),
        mode: install.mode.map(|mode| format!("{mode:04o}")).unwrap_or_default(),
        to: quote::shell(&format!("/out{to}")),
    }
}
