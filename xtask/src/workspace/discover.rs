//! Which workspace, and which manifests belong to it.

use std::collections::BTreeMap;
use std::io::ErrorKind;

use camino::{Utf8Path, Utf8PathBuf};

use super::pool::in_parallel;
use super::text::{self, inside, outside_diagnostic};
use super::{
    FolderPattern, Folders, LOCK_FILE, ManifestFiles, OVERRIDE_FILE, OverrideEntry, SETTINGS_FILE, WorkspaceError,
    overrides,
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

    /// Reads every text that a run can need. `folders` says where a settings file wants manifests to be looked for.
    ///
    /// # Errors
    /// Every file that cannot be read, or that lies outside the workspace. The map is returned for showing them.
    pub fn read(
        &self,
        folders: impl FnOnce(FileId, &SourceFile) -> Folders,
    ) -> Result<Sources, (SourceMap, Vec<Diagnostic>)> {
        let mut sources = Sources::default();
        let mut problems = Problems::default();
        self.read_settings(&mut sources, &mut problems);
        let named = sources.files.settings.map(|id| folders(id, sources.map.file(id))).unwrap_or_default();
        let (components, images) = (&named.components, &named.images);
        sources.files.components =
            self.manifests(components, "components", "component.toml", &mut sources.map, &mut problems);
        sources.files.images = self.manifests(images, "images", "image.toml", &mut sources.map, &mut problems);
        self.read_templates(&mut sources, &mut problems);
        self.read_overrides(&mut sources, &mut problems);
        self.read_lock_file(&mut sources, &mut problems);
        if problems.has_errors() { Err((sources.map, problems.into_list())) } else { Ok(sources) }
    }

    /// Gives the sources of another workspace the override file of this one.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn lend_overrides(&self, sources: &mut Sources) -> Result<(), Vec<Diagnostic>> {
        let mut problems = Problems::default();
        sources.override_keys.clear();
        self.read_overrides(sources, &mut problems);
        problems.finish(())
    }

    fn read_settings(&self, sources: &mut Sources, problems: &mut Problems) {
        sources.files.settings = text::read(&self.root, SETTINGS_FILE.into(), &mut sources.map, problems);
    }

    fn read_overrides(&self, sources: &mut Sources, problems: &mut Problems) {
        if !self.root.join(OVERRIDE_FILE).exists() {
            return;
        }
        if let Some(id) = text::read(&self.root, OVERRIDE_FILE.into(), &mut sources.map, problems) {
            sources.override_keys = overrides::parse(id, sources.map.file(id), problems);
        }
    }

    fn read_lock_file(&self, sources: &mut Sources, problems: &mut Problems) {
        if self.root.join(LOCK_FILE).symlink_metadata().is_ok() {
            sources.lock_file = text::read(&self.root, LOCK_FILE.into(), &mut sources.map, problems);
        }
    }

    fn read_templates(&self, sources: &mut Sources, problems: &mut Problems) {
        let folder = self.root.join("templates");
        for path in files_below(&folder, "hbs") {
            let name = path.strip_prefix(&folder).unwrap_or(&path).to_string();
            let relative = path.strip_prefix(&self.root).unwrap_or(&path).to_owned();
            if let Some(id) = text::read(&self.root, &relative, &mut sources.map, problems) {
                sources.templates.push((name, id));
            }
        }
    }

    /// Reads the manifest of each folder, in order of path.
    fn manifests(
        &self,
        patterns: &[Spanned<FolderPattern>],
        default: &str,
        file: &str,
        map: &mut SourceMap,
        problems: &mut Problems,
    ) -> Vec<FileId> {
        let mut paths = Vec::new();
        if patterns.is_empty() {
            paths.extend(self.below(default, file, problems));
        }
        for pattern in patterns {
            match &pattern.value {
                FolderPattern::Below(folder) => paths.extend(self.below(folder, file, problems)),
                FolderPattern::One(folder) => paths.extend(self.one(folder, file, pattern, problems)),
            }
        }
        paths.sort();
        paths.dedup();
        text::read_all(&self.root, &paths, map, problems)
    }

    /// The file in every folder below `folder`. What may not be looked into is kept, so that reading it says why.
    fn below(&self, folder: &str, file: &str, problems: &mut Problems) -> Vec<Utf8PathBuf> {
        let entries = match self.root.join(folder).read_dir_utf8() {
            Ok(entries) => entries,
            Err(error) => {
                if error.kind() != ErrorKind::NotFound {
                    problems.push(Diagnostic::error("unreadable-file", format!("cannot read {folder}: {error}")));
                }
                return Vec::new();
            }
        };
        let names = entries.filter_map(|entry| Some(entry.ok()?.file_name().to_owned()));
        let paths: Vec<Utf8PathBuf> = names.map(|name| Utf8Path::new(folder).join(name).join(file)).collect();
        let there = in_parallel(&paths, |path| may_be_there(&self.root.join(path)));
        paths.into_iter().zip(there).filter_map(|(path, there)| there.then_some(path)).collect()
    }

    fn one(
        &self,
        folder: &str,
        file: &str,
        pattern: &Spanned<FolderPattern>,
        problems: &mut Problems,
    ) -> Option<Utf8PathBuf> {
        let path = Utf8Path::new(folder).join(file);
        let absolute = self.root.join(&path);
        if !absolute.is_file() {
            let message = format!("there is no {path}");
            problems.push(
                Diagnostic::error("missing-file", message)
                    .label(pattern.span, "")
                    .help(format!("create it, or remove `{folder}` here")),
            );
            return None;
        }
        if let Err(outside) = inside(&self.root, &absolute) {
            problems.push(outside_diagnostic(&path, &outside).label(pattern.span, ""));
            return None;
        }
        // `..` that leads back inside is allowed, but the path is kept clean for Dockerfiles and messages
        let clean = absolute.canonicalize_utf8().ok()?;
        clean.strip_prefix(&self.root).ok().map(Utf8Path::to_owned)
    }
}

/// False when nothing is there, or a folder; true for a link to nothing and for what cannot be looked at.
fn may_be_there(path: &Utf8Path) -> bool {
    match path.metadata() {
        Ok(metadata) => metadata.is_file(),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => path.is_symlink(),
        Err(_) => true,
    }
}

/// Regular files below a folder with an extension, sorted.
fn files_below(folder: &Utf8Path, extension: &str) -> Vec<Utf8PathBuf> {
    let entries = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter().filter_map(Result::ok);
    let paths = entries
        .filter(|entry| entry.file_type().is_file())
        .filter_map(|entry| Utf8PathBuf::from_path_buf(entry.into_path()).ok());
    paths.filter(|path| path.extension() == Some(extension)).collect()
}
