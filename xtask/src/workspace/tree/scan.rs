//! Wants → files and links, with what the file system and the memory know of them. Nothing is opened but folders and ignore
//! files.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err::DirEntry;

use super::super::ignore::{Rules, Verdict, is_ignore_file};
use super::super::inside::stays_below;
use super::super::memory::{Known, Recall};
use super::listing::is_never_listed;
use super::{
    AllFound, Diagnostic, Found, FoundFile, FoundKind, Reader, Want, in_parallel, outside_diagnostic, unreadable,
};

/// How many files of a folder are looked at by one thread.
const PIECE: usize = 512;

/// A folder that is going to be read.
struct Folder {
    /// Position of the want.
    want: usize,
    /// Relative to the wanted path.
    below: Utf8PathBuf,
    /// Rules of the folder above.
    rules: Rules,
}

/// What was found in one folder.
#[derive(Default)]
struct Scanned {
    found: Vec<Found>,
    folders: Vec<Folder>,
}

/// What a wanted path is.
enum Top {
    Missing,
    Folder(Rules),
    File(FoundFile),
}

/// Finds everything that is wanted; in the order of the wants.
pub(super) fn scan(reader: Reader<'_>, wants: &[&Want]) -> AllFound {
    let mut all: AllFound = Vec::with_capacity(wants.len());
    let mut level = Vec::new();
    let mut files = Vec::new();
    for (want, top) in in_parallel(wants, |want| top(reader, want)).into_iter().enumerate() {
        all.push(match top {
            Ok(Top::Missing) => Ok(None),
            Ok(Top::Folder(rules)) => {
                level.push(Folder { want, below: Utf8PathBuf::new(), rules });
                Ok(Some(Vec::new()))
            }
            Ok(Top::File(file)) => {
                files.push((want, file));
                Ok(Some(Vec::new()))
            }
            Err(problem) => Err(problem),
        });
    }
    recall_named(reader, wants, files, &mut all);
    while !level.is_empty() {
        let scanned = in_parallel(&level, |folder| read(reader, wants[folder.want], folder));
        let mut next = Vec::new();
        for (folder, scanned) in level.iter().zip(scanned) {
            let of_want = &mut all[folder.want];
            match (scanned, of_want) {
                (Ok(scanned), Ok(Some(found))) => {
                    found.extend(scanned.found);
                    next.extend(scanned.folders);
                }
                // the first problem of a want is the one that is shown
                (Err(problem), of_want) if of_want.is_ok() => *of_want = Err(problem),
                _ => {}
            }
        }
        level = next;
    }
    all
}

fn top(reader: Reader<'_>, want: &Want) -> Result<Top, Diagnostic> {
    let plain = reader.inside.plain(&want.path);
    let is_named = plain.is_none();
    let metadata = match plain.map_or_else(|| fs_err::metadata(reader.root.join(&want.path)), Ok) {
        Ok(metadata) => metadata,
        Err(_) if !want.required => return Ok(Top::Missing),
        Err(_) => {
            let missing = Diagnostic::error("missing-file", format!("there is no {}", want.path));
            return Err(missing.help("paths are relative to the folder of the manifest"));
        }
    };
    if is_named {
        reader.inside.check(&want.path).map_err(|outside| outside_diagnostic(&want.path, &outside))?;
    }
    match metadata.file_type() {
        kind if kind.is_dir() => {
            let rules = match &want.context {
                Some(context) => reader.ignore.rules_of_context(context, &want.path),
                None => reader.ignore.rules_of_named(&want.path).map(Some),
            };
            match rules.map_err(|error| unreadable(&want.path, &error))? {
                Some(rules) => Ok(Top::Folder(rules)),
                None => left_out(want),
            }
        }
        kind if kind.is_file() => match &want.context {
            Some(context) if reader.ignore.leaves_out_of_context(context, &want.path) => left_out(want),
            _ => Ok(Top::File(FoundFile::of(&metadata, is_named))),
        },
        _ => Err(special(&want.path)),
    }
}

/// What the ignore file of a build context leaves out is not in it.
fn left_out(want: &Want) -> Result<Top, Diagnostic> {
    if !want.required {
        return Ok(Top::Missing);
    }
    let message = format!("{} is left out of the build context by its ignore file", want.path);
    Err(Diagnostic::error("missing-file", message).help("bring it back with a line that begins with `!`"))
}

fn special(path: &Utf8Path) -> Diagnostic {
    unreadable(path, &"it is neither a file nor a folder nor a link")
}

/// Files that are wanted by name, folder by folder, because the memory is asked in order.
fn recall_named(reader: Reader<'_>, wants: &[&Want], mut files: Vec<(usize, FoundFile)>, all: &mut AllFound) {
    files.sort_by_key(|(want, _)| (wants[*want].path.parent(), wants[*want].path.file_name()));
    let mut recall: Option<(&str, Recall<'_>)> = None;
    for (want, file) in files {
        let path = &wants[want].path;
        let folder = path.parent().map_or("", Utf8Path::as_str);
        if recall.as_ref().is_none_or(|(known, _)| *known != folder) {
            recall = Some((folder, reader.memory.recall(folder)));
        }
        let known = recall.as_mut().and_then(|(_, recall)| known(recall, path.file_name().unwrap_or_default(), &file));
        all[want] = Ok(Some(vec![Found { below: Utf8PathBuf::new(), kind: FoundKind::File { file, known } }]));
    }
}

fn known(recall: &mut Recall<'_>, name: &str, file: &FoundFile) -> Option<Known> {
    recall.file(name, file.stat.as_ref()?)
}

/// What is in one folder.
fn read(reader: Reader<'_>, want: &Want, folder: &Folder) -> Result<Scanned, Diagnostic> {
    // as written in a manifest it may hold a `.`
    let path: Utf8PathBuf = want.path.components().chain(folder.below.components()).collect();
    let (path, absolute) = (path.as_path(), reader.root.join(&path));
    let failed = |error: io::Error| unreadable(path, &error);
    let entries: Vec<DirEntry> =
        fs_err::read_dir(&absolute).and_then(|entries| entries.collect::<io::Result<_>>()).map_err(failed)?;
    let mut named = Vec::with_capacity(entries.len());
    for entry in &entries {
        let name = entry.file_name().into_string().map_err(|name| {
            let path = absolute.as_std_path().join(name);
            unreadable(&want.path, &format_args!("{} is not UTF-8", path.display()))
        })?;
        named.push((name, entry));
    }
    named.sort_by(|(a, _), (b, _)| a.cmp(b));
    let own: Vec<&str> = named.iter().map(|(name, _)| name.as_str()).filter(|name| is_ignore_file(name)).collect();
    let rules = match want.context {
        Some(_) => folder.rules.clone(),
        None => reader.ignore.rules_in(&folder.rules, path, &own).map_err(failed)?,
    };
    Scan { want, folder, path, takes_all: rules.take_all(), rules }.entries(reader, &named)
}

struct Scan<'a> {
    want: &'a Want,
    folder: &'a Folder,
    /// Of the folder, relative to the workspace.
    path: &'a Utf8Path,
    rules: Rules,
    takes_all: bool,
}

impl Scan<'_> {
    fn entries(&self, reader: Reader<'_>, named: &[(String, &DirEntry)]) -> Result<Scanned, Diagnostic> {
        let mut scanned = Scanned::default();
        let mut files = Vec::new();
        for (name, entry) in named {
            let kind = entry.file_type().map_err(|error| self.failed(name, &error))?;
            let is_hidden = name.starts_with('.');
            let is_rule = self.want.context.is_none() && is_ignore_file(name) && !kind.is_dir();
            let is_ours = is_hidden && (is_never_listed(name) || is_rule);
            if is_ours || self.is_excluded(name) {
                continue;
            }
            if self.takes_all && kind.is_file() {
                files.push((name.as_str(), *entry));
                continue;
            }
            let taken = self.rules.verdict(self.path.join(name).as_str(), kind.is_dir());
            let below = || self.folder.below.join(name);
            match taken {
                Verdict::LeftOut => {}
                Verdict::Taken(rules) | Verdict::LookedInto(rules) if kind.is_dir() => {
                    scanned.folders.push(Folder { want: self.folder.want, below: below(), rules });
                }
                _ if kind.is_symlink() => scanned.found.push(self.link(entry, below())?),
                _ if kind.is_file() => files.push((name.as_str(), *entry)),
                _ => return Err(special(&self.path.join(name))),
            }
        }
        let mut recall = reader.memory.recall(self.path.as_str());
        scanned.found.reserve(files.len());
        // there is nothing to compare with: whoever hashes them looks at them
        let looked = match recall.knows_nothing() {
            true => files.iter().map(|_| Ok(FoundFile::LISTED)).collect(),
            false => look(&files),
        };
        for ((name, _), file) in files.iter().zip(looked) {
            let file = file.map_err(|error| self.failed(name, &error))?;
            let known = known(&mut recall, name, &file);
            scanned.found.push(Found { below: self.folder.below.join(name), kind: FoundKind::File { file, known } });
        }
        Ok(scanned)
    }

    fn failed(&self, name: &str, error: &io::Error) -> Diagnostic {
        unreadable(&self.path.join(name), error)
    }

    fn is_excluded(&self, name: &str) -> bool {
        if self.want.exclude.is_empty() {
            return false;
        }
        let folder = self.folder.below.as_str();
        let is_this = |exclude: &String| match exclude.strip_suffix(name) {
            Some("") => folder.is_empty(),
            Some(above) => above.strip_suffix('/') == Some(folder),
            None => false,
        };
        self.want.exclude.iter().any(is_this)
    }

    /// A link inside of a folder may point to anything in that folder, and to nothing else: only the folder travels.
    fn link(&self, entry: &DirEntry, below: Utf8PathBuf) -> Result<Found, Diagnostic> {
        let target =
            fs_err::read_link(entry.path()).map_err(|error| unreadable(&self.want.path.join(&below), &error))?;
        let target = Utf8PathBuf::from_path_buf(target).map_err(|target| {
            unreadable(&self.want.path.join(&below), &format_args!("{} is not UTF-8", target.display()))
        })?;
        if stays_below(&below, &target) {
            return Ok(Found { below, kind: FoundKind::Link { target: target.into() } });
        }
        let folder = &self.want.path;
        let message = format!("the link {folder}/{below} points to {target}, which is not in {folder}");
        Err(Diagnostic::error("outside-workspace", message)
            .help("copy what it points to into the folder, or remove the link"))
    }
}

/// What the file system says of files of one folder.
fn look(files: &[(&str, &DirEntry)]) -> Vec<io::Result<FoundFile>> {
    let one = |(_, entry): &(&str, &DirEntry)| entry.metadata().map(|metadata| FoundFile::of(&metadata, false));
    if files.len() <= PIECE {
        return files.iter().map(one).collect();
    }
    let pieces: Vec<&[(&str, &DirEntry)]> = files.chunks(PIECE).collect();
    in_parallel(&pieces, |piece| piece.iter().map(one).collect::<Vec<_>>()).into_iter().flatten().collect()
}
