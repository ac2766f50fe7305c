//! Which workspace, and which manifests belong to it.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;

use camino::{Utf8Path, Utf8PathBuf};

use super::inside::{Inside, outside_diagnostic};
use super::order::by_folder;
use super::{
    FolderPattern, Folders, LOCK_FILE, ManifestFiles, OVERRIDE_FILE, OverrideEntry, SETTINGS_FILE, WorkspaceError,
    overrides, text,
};
use crate::diagnostic::{Diagnostic, Problems};
use crate::source::{FileId, SourceFile, SourceMap, Spanned};

/// A folder with a `groupage.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    /// The folder, absolute and without links.
    pub root: Utf8PathBuf,
}

/// Everything that is read at the start.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// All texts.
    pub map: SourceMap,
    /// Which of them are manifests.
    pub files: ManifestFiles,
    /// Templates of the workspace, by path below `templates/`.
    pub templates: Vec<(String, FileId)>,
    /// Keys of the override file.
    pub override_keys: BTreeMap<String, OverrideEntry>,
    /// The lock file, if there is one.
    pub lock_file: Option<FileId>,
}

impl Workspace {
    /// Finds the workspace that `start` is in, or the one of `--manifest-path`.
    ///
    /// # Errors
    /// When there is none.
    pub fn discover(start: &Utf8Path, manifest_path: Option<&Utf8Path>) -> Result<Self, WorkspaceError> {
        let folder = match manifest_path {
            Some(path) => {
                let path = start.join(path);
                if path.file_name() != Some(SETTINGS_FILE) {
                    return Err(WorkspaceError::OtherName(path));
                }
                if !path.is_file() {
                    return Err(WorkspaceError::NoManifest(path));
                }
                path.parent().unwrap_or(Utf8Path::new("/")).to_owned()
            }
            None => {
                let found = start.ancestors().find(|folder| folder.join(SETTINGS_FILE).is_file());
                found.ok_or_else(|| WorkspaceError::NotFound(start.to_owned()))?.to_owned()
            }
        };
        Ok(Self { root: folder.canonicalize_utf8()? })
    }

    /// Reads every text that a run can need. `folders` says where a settings file wants manifests to be looked for, and
    /// `dockerfile` which Dockerfile a component names, and where.
    ///
    /// # Errors
    /// Every file that cannot be read, or that lies outside the workspace. The map is returned for showing them.
    pub fn read(
        &self,
        folders: impl FnOnce(FileId, &SourceFile) -> Folders,
        dockerfile: impl Fn(FileId, &SourceFile) -> Option<Spanned<Utf8PathBuf>>,
    ) -> Result<Sources, (SourceMap, Vec<Diagnostic>)> {
        let mut sources = Sources::default();
        let mut problems = Problems::default();
        let inside = Inside::new(&self.root);
        self.read_settings(&inside, &mut sources, &mut problems);
        let named = sources.files.settings.map(|id| folders(id, sources.map.file(id))).unwrap_or_default();
        let (components, images) = (&named.components, &named.images);
        let paths = manifests(&inside, components, "components", "component.toml", &mut problems);
        sources.files.components = text::read_all(&inside, &paths, &mut sources.map, &mut problems);
        Self::read_dockerfiles(&inside, dockerfile, &mut sources, &mut problems);
        let paths = manifests(&inside, images, "images", "image.toml", &mut problems);
        sources.files.images = text::read_all(&inside, &paths, &mut sources.map, &mut problems);
        self.read_templates(&inside, &mut sources, &mut problems);
        self.read_overrides(&inside, &mut sources, &mut problems);
        self.read_lock_file(&inside, &mut sources, &mut problems);
        if problems.has_errors() { Err((sources.map, problems.into_list())) } else { Ok(sources) }
    }

    /// Gives the sources of another workspace the override file of this one.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn lend_overrides(&self, sources: &mut Sources) -> Result<(), Vec<Diagnostic>> {
        let mut problems = Problems::default();
        sources.override_keys.clear();
        self.read_overrides(&Inside::new(&self.root), sources, &mut problems);
        problems.finish(())
    }

    fn read_settings(&self, inside: &Inside<'_>, sources: &mut Sources, problems: &mut Problems) {
        sources.files.settings = text::read(inside, SETTINGS_FILE.into(), &mut sources.map, problems);
    }

    fn read_dockerfiles(
        inside: &Inside<'_>,
        dockerfile: impl Fn(FileId, &SourceFile) -> Option<Spanned<Utf8PathBuf>>,
        sources: &mut Sources,
        problems: &mut Problems,
    ) {
        let Sources { map, files, .. } = sources;
        let named = files.components.iter().filter_map(|id| dockerfile(*id, map.file(*id)));
        for Spanned { value: path, span } in named.collect::<Vec<_>>() {
            if files.dockerfiles.contains_key(&path) {
                continue;
            }
            if !inside.root.join(&path).is_file() {
                let missing = Diagnostic::error("missing-file", format!("there is no {path}")).label(span, "");
                problems.push(missing.help("`path` is relative to the folder of the manifest"));
            } else if let Some(id) = text::read(inside, &path, map, problems) {
                files.dockerfiles.insert(path, id);
            }
        }
    }

    fn read_overrides(&self, inside: &Inside<'_>, sources: &mut Sources, problems: &mut Problems) {
        if !self.root.join(OVERRIDE_FILE).exists() {
            return;
        }
        if let Some(id) = text::read(inside, OVERRIDE_FILE.into(), &mut sources.map, problems) {
            sources.override_keys = overrides::parse(id, sources.map.file(id), problems);
        }
    }

    fn read_lock_file(&self, inside: &Inside<'_>, sources: &mut Sources, problems: &mut Problems) {
        if self.root.join(LOCK_FILE).symlink_metadata().is_ok() {
            sources.lock_file = text::read(inside, LOCK_FILE.into(), &mut sources.map, problems);
        }
    }

    fn read_templates(&self, inside: &Inside<'_>, sources: &mut Sources, problems: &mut Problems) {
        let folder = self.root.join("templates");
        for path in files_below(&folder, "hbs") {
            let name = path.strip_prefix(&folder).unwrap_or(&path).to_string();
            let relative = path.strip_prefix(&self.root).unwrap_or(&path).to_owned();
            if let Some(id) = text::read(inside, &relative, &mut sources.map, problems) {
                sources.templates.push((name, id));
            }
        }
    }
}

/// The manifest that may be in each folder, in order of path.
fn manifests(
    inside: &Inside<'_>,
    patterns: &[Spanned<FolderPattern>],
    default: &str,
    file: &str,
    problems: &mut Problems,
) -> Vec<Utf8PathBuf> {
    let mut paths = Vec::new();
    if patterns.is_empty() {
        paths.extend(below(inside, default, file, problems));
    }
    for pattern in patterns {
        match &pattern.value {
            FolderPattern::Below(folder) => paths.extend(below(inside, folder, file, problems)),
            FolderPattern::One(folder) => paths.extend(one(inside, folder, file, pattern, problems)),
        }
    }
    paths.sort_by(|a, b| by_folder(a.as_str(), b.as_str()));
    paths.dedup();
    paths
}

/// The file in everything below `folder` that is a folder, or may be a link to one.
fn below(inside: &Inside<'_>, folder: &str, file: &str, problems: &mut Problems) -> Vec<Utf8PathBuf> {
    // clean, so that a folder that is named in two ways is the same one
    let folder: &Utf8Path = &Utf8Path::new(folder).components().collect::<Utf8PathBuf>();
    let entries = match inside.root.join(folder).as_std_path().read_dir() {
        Ok(entries) => entries,
        Err(error) => {
            if error.kind() != ErrorKind::NotFound {
                problems.push(Diagnostic::error("unreadable-file", format!("cannot read {folder}: {error}")));
            }
            return Vec::new();
        }
    };
    let mut paths = Vec::new();
    for entry in entries.filter_map(Result::ok) {
        let kind = entry.file_type();
        if kind.as_ref().is_ok_and(fs::FileType::is_file) {
            continue;
        }
        // a path that is no text is nobody's component
        let Ok(name) = entry.file_name().into_string() else { continue };
        if kind.is_ok_and(|kind| kind.is_dir()) {
            inside.keep(folder, &name);
        }
        let mut path = folder.join(name);
        path.push(file);
        paths.push(path);
    }
    paths
}

fn one(
    inside: &Inside<'_>,
    folder: &str,
    file: &str,
    pattern: &Spanned<FolderPattern>,
    problems: &mut Problems,
) -> Option<Utf8PathBuf> {
    let path = Utf8Path::new(folder).join(file);
    let absolute = inside.root.join(&path);
    if !absolute.is_file() {
        let message = format!("there is no {path}");
        problems.push(
            Diagnostic::error("missing-file", message)
                .label(pattern.span, "")
                .help(format!("create it, or remove `{folder}` here")),
        );
        return None;
    }
    if let Err(outside) = inside.check(&path) {
        problems.push(outside_diagnostic(&path, &outside).label(pattern.span, ""));
        return None;
    }
    // `..` that leads back inside is allowed, but the path is kept clean for Dockerfiles and messages
    let clean = absolute.canonicalize_utf8().ok()?;
    clean.strip_prefix(inside.root).ok().map(Utf8Path::to_owned)
}

/// Regular files below a folder with an extension, sorted.
fn files_below(folder: &Utf8Path, extension: &str) -> Vec<Utf8PathBuf> {
    let entries = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter().filter_map(Result::ok);
    let paths = entries
        .filter(|entry| entry.file_type().is_file())
        .filter_map(|entry| Utf8PathBuf::from_path_buf(entry.into_path()).ok());
    paths.filter(|path| path.extension() == Some(extension)).collect()
}
