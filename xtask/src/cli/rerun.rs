//! The command that builds one image again, as it was built: for the end of a failure block.

use clap::ValueEnum as _;

use super::args::{BuildArguments, EngineChoice, Global};
use crate::manifest::Mode;
use crate::oci::redacted;

/// The command line, quoted for a shell. An image that was built beside its own mode gets that mode alone. What only concerns the run as a whole (how many at once, progress, the metadata
/// file) is left out; so is a password in the address of the daemon, which does not belong into a log.
pub(super) fn command(program: &str, image: &str, arguments: &BuildArguments, global: &Global) -> String {
    let (image, beside) = image.split_once('+').map_or((image, None), |(image, mode)| (image, Some(mode)));
    let mut words = vec!["build".to_owned(), image.to_owned()];
    let mut option = |name: &str, value: String| words.extend([format!("--{name}"), value]);
    let own = if image.contains('/') { Some("split") } else { beside };
    let asked = arguments.selection.modes.first().filter(|_| arguments.selection.modes.len() == 1);
    let asked = asked.map(|mode| Mode::from(*mode).to_string());
    own.map(str::to_owned).or(asked).into_iter().for_each(|mode| option("mode", mode));
    global.manifest_path.iter().for_each(|path| option("manifest-path", path.to_string()));
    global.set.iter().for_each(|(key, value)| option("set", format!("{key}={}", redacted(value))));
    let selection = &arguments.selection;
    let features: Vec<String> = selection.features.iter().flat_map(|list| &list.0).map(ToString::to_string).collect();
    if !features.is_empty() {
        option("features", features.join(","));
    }
    if !arguments.platforms.is_empty() {
        let platforms: Vec<String> = arguments.platforms.iter().map(ToString::to_string).collect();
        option("platform", platforms.join(","));
    }
    arguments.tags.iter().for_each(|tag| option("tag", tag.to_string()));
    if arguments.engine != EngineChoice::Auto {
        option(
            "engine",
            arguments.engine.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned()),
        );
    }
    arguments.no_cache_filter.iter().for_each(|component| option("no-cache-filter", component.clone()));
    arguments.outputs.iter().for_each(|output| option("output", output.to_string()));
    arguments.host.iter().for_each(|host| option("host", redacted(host)));
    let switches = [
        ("--all-features", selection.all_features),
        ("--no-default-features", selection.no_default_features),
        ("--no-cache", arguments.no_cache),
        ("--no-verify", arguments.no_verify),
        ("--load", arguments.load),
        ("--push", arguments.push),
        ("--locked", global.locked),
        ("--no-locked", global.no_locked),
        ("--offline", global.offline),
    ];
    words.extend(switches.into_iter().filter(|(_, on)| *on).map(|(name, _)| name.to_owned()));
    let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    format!("{program} {}", words.join(" "))
}

/// A word as a POSIX shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::super::args::{Arguments, Command};
    use super::*;

    fn check(words: &[&str], expect: &str) {
        let arguments = Arguments::try_parse_from([&["groupage"], words].concat()).unwrap();
        let Command::Build(build) = &arguments.command else { panic!("build") };
        assert_eq!(command("groupage", "a=full", build, &arguments.global), expect);
    }

    #[test]
    fn arguments_are_kept() {
        check(&["build"], "groupage build a=full");
        check(&["build", "a=*", "b", "-j2", "--keep-going", "--progress", "plain"], "groupage build a=full");
        check(&["--set", "bases.*=x y", "build", "a=full"], "groupage build a=full --set 'bases.*=x y'");
        check(&["build", "--offline", "--locked"], "groupage build a=full --locked --offline");
        check(
            &["build", "-F", "x,dep:y", "--no-default-features", "--platform", "linux/amd64", "--no-cache"],
            "groupage build a=full --features x,dep:y --platform linux/amd64 --no-default-features --no-cache",
        );
        check(
            &["build", "--platform", "linux/amd64,linux/arm64", "--platform", "linux/arm/v7"],
            "groupage build a=full --platform linux/amd64,linux/arm64,linux/arm/v7",
        );
        check(
            &["build", "-t", "r/a:1", "--host", "tcp://u:pw@h:1", "--manifest-path", "it's/groupage.toml"],
            "groupage build a=full --manifest-path 'it'\\''s/groupage.toml' --tag r/a:1 --host 'tcp://***@h:1'",
        );
    }

    #[test]
    fn modes_are_kept() {
        let modes = |image: &str, words: &[&str], expect: &str| {
            let arguments = Arguments::try_parse_from([&["groupage", "build"], words].concat()).unwrap();
            let Command::Build(build) = &arguments.command else { panic!("build") };
            assert_eq!(command("groupage", image, build, &arguments.global), expect);
        };
        modes("a", &["--mode", "multicall"], "groupage build a --mode multicall");
        modes("a/b=full", &["--mode", "split,multicall"], "groupage build a/b=full --mode split");
        modes("a=full+multicall", &["--mode", "split,multicall"], "groupage build a=full --mode multicall");
        modes("a", &["--mode", "colocated,multicall"], "groupage build a");
    }

    #[test]
    fn engine_and_outputs_are_kept() {
        check(
            &["build", "--engine", "native", "--load", "--push", "-o", "dest=a b,type=oci,compression=zstd"],
            "groupage build a=full --engine native --output 'type=oci,dest=a b,compression=zstd' --load --push",
        );
    }

    #[test]
    fn words_are_quoted() {
        assert_eq!(["a", "", "a b", "it's", "*"].map(quoted), ["a", "''", "'a b'", r"'it'\''s'", "'*'"]);
    }
}
