//! `--output type=…,dest=…`: the notation of `docker buildx build --output`.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use camino::Utf8PathBuf;

use crate::engine::native::ArchiveKind;
use crate::oci::Compression;

/// One `--output`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// Form of the archive.
    pub kind: ArchiveKind,
    /// The file, as written.
    pub path: Utf8PathBuf,
    /// How its layers are compressed, if that is said.
    pub compression: Option<Compression>,
}

impl FromStr for Destination {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut seen = BTreeSet::new();
        let (mut kind, mut path, mut compression) = (None, None, None);
        for part in text.split(',') {
            if let Some((key @ ("type" | "dest" | "compression"), _)) = part.split_once('=')
                && !seen.insert(key)
            {
                return Err(format!("`{key}` is given twice"));
            }
            match part.split_once('=') {
                Some(("type", "oci")) => kind = Some(ArchiveKind::Oci),
                Some(("type", "docker")) => kind = Some(ArchiveKind::Docker),
                Some(("type", "registry" | "image")) => return Err("to push, write --push".to_owned()),
                Some(("type", other)) => return Err(format!("the type is `oci` or `docker`, not `{other}`")),
                Some(("dest", "")) => return Err("`dest` is empty".to_owned()),
                Some(("dest", "-")) => return Err("`dest` is a file; stdout names what was built".to_owned()),
                Some(("dest", file)) => path = Some(Utf8PathBuf::from(file)),
                Some(("compression", name)) => compression = Some(self::compression(name)?),
                Some((key, _)) => return Err(format!("there is no key `{key}`; keys: type, dest, compression")),
                None => return Err("write type=oci|docker,dest=FILE; a file name has no comma".to_owned()),
            }
        }
        let kind = kind.ok_or("it needs `type=oci` or `type=docker`")?;
        Ok(Self { kind, path: path.ok_or("it needs `dest=FILE`")?, compression })
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            ArchiveKind::Oci => "oci",
            ArchiveKind::Docker => "docker",
        };
        write!(out, "type={kind},dest={}", self.path)?;
        self.compression.iter().try_for_each(|compression| write!(out, ",compression={}", compression.name()))
    }
}

fn compression(name: &str) -> Result<Compression, String> {
    let all = [Compression::None, Compression::Gzip, Compression::Zstd];
    let found = all.into_iter().find(|compression| [compression.name(), alias(*compression)].contains(&name));
    found.ok_or_else(|| format!("the compression is none, gzip or zstd, not `{name}`"))
}

/// As buildx calls it.
fn alias(compression: Compression) -> &'static str {
    match compression {
        Compression::None => "uncompressed",
        other => other.name(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: Result<(ArchiveKind, &str, Option<Compression>), &str>) {
        let parsed = text.parse::<Destination>();
        let expect = expect.map(|(kind, path, compression)| Destination { kind, path: path.into(), compression });
        assert_eq!(parsed, expect.map_err(str::to_owned), "{text}");
    }

    #[test]
    fn destinations() {
        check("type=oci,dest=a.tar", Ok((ArchiveKind::Oci, "a.tar", None)));
        check("dest=/x/a=b.tar,type=docker", Ok((ArchiveKind::Docker, "/x/a=b.tar", None)));
        check("type=oci,dest=a,compression=zstd", Ok((ArchiveKind::Oci, "a", Some(Compression::Zstd))));
        check("type=oci,dest=a,compression=uncompressed", Ok((ArchiveKind::Oci, "a", Some(Compression::None))));
        check("type=oci", Err("it needs `dest=FILE`"));
        check("dest=a", Err("it needs `type=oci` or `type=docker`"));
        check("type=tar,dest=a", Err("the type is `oci` or `docker`, not `tar`"));
        check("type=registry", Err("to push, write --push"));
        check("type=oci,dest=-", Err("`dest` is a file; stdout names what was built"));
        check("type=oci,dest=a,push=true", Err("there is no key `push`; keys: type, dest, compression"));
        check("type=oci,dest=a,dest=b", Err("`dest` is given twice"));
        check("a.tar", Err("write type=oci|docker,dest=FILE; a file name has no comma"));
    }
}
