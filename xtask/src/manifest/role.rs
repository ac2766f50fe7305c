//! `[roles.<name>]`: how a consumer starts a component.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::decode::{Item, Table};
use super::lifecycle::{Healthcheck, StopSignal, decode_healthcheck};
use super::name::{FeatureName, Need, RoleName};
use super::path::ImagePath;
use super::text::{Text, Texts};
use crate::diagnostic::{Diagnostic, closest};
use crate::source::{Span, Spanned};

/// How a consumer starts a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Where its name stands.
    pub span: Span,
    /// The program, by its absolute path in the image, then its arguments.
    pub command: Vec<Spanned<String>>,
    /// The image has the command as its `CMD` and no `ENTRYPOINT`: what a consumer gives stands in its place. So with roles of
    /// existing Dockerfiles that have no `ENTRYPOINT`; no manifest asks for it.
    pub is_replaced: bool,
    /// Arguments that the image gives when a consumer gives none, after those of the command.
    pub args: Vec<Spanned<String>>,
    /// How existing consumers start it; by naming the command when absent.
    pub args_style: Option<Spanned<ArgsStyle>>,
    /// A command that exits with 0 when the role's program can run: absolute program, then arguments.
    pub probe: Option<Vec<Spanned<String>>>,
    /// Numeric user and group, such as `65532:65532`; a rule refuses named ones.
    pub user: Spanned<User>,
    /// Working directory; `/` when absent.
    pub workdir: Option<Spanned<ImagePath>>,
    /// Ports that the role listens on.
    pub ports: Vec<Port>,
    /// Environment of the image that the role relies on.
    pub env: BTreeMap<String, Spanned<String>>,
    /// Folders that hold what outlives a container.
    pub volumes: Vec<Spanned<ImagePath>>,
    /// The signal that ends it; `SIGTERM` when absent.
    pub stop_signal: Option<Spanned<StopSignal>>,
    /// How it is asked whether it is well.
    pub healthcheck: Option<Spanned<Healthcheck>>,
    /// What the base or another component must give, such as `shell`, `ca-certificates`, `tzdata` or `libc:glibc`.
    pub needs: Vec<Spanned<Need>>,
    /// Old absolute paths of the program, kept as relative links.
    pub aliases: Vec<Spanned<ImagePath>>,
    /// Security boundary; roles of different ones do not merge silently.
    pub boundary: Option<Spanned<String>>,
    /// Roles that this one waits for when it starts.
    pub waits_for: Vec<Spanned<RoleName>>,
    /// Only there when this feature of the component is on.
    pub when: Option<Spanned<FeatureName>>,
}

impl Role {
    /// How consumers start it.
    pub fn args_style(&self) -> ArgsStyle {
        self.args_style.as_ref().map(|style| style.value).unwrap_or_default()
    }
}

/// How consumers start a role.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ArgsStyle {
    /// By naming its command.
    #[default]
    Command,
    /// By giving arguments to the ENTRYPOINT of the image.
    ArgsOnly,
}

impl ArgsStyle {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::ArgsOnly => "args-only",
        }
    }

    /// Whether it is the default, which is not written down.
    pub fn is_command(&self) -> bool {
        *self == Self::Command
    }
}

impl Text for ArgsStyle {
    fn texts() -> Texts {
        Texts::Words(vec!["command", "args-only"])
    }
}

impl FromStr for ArgsStyle {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let known = [Self::Command, Self::ArgsOnly];
        let found = known.into_iter().find(|style| style.as_str() == text);
        found.ok_or_else(|| match closest(text, known.map(Self::as_str)) {
            Some(close) => format!("it is \"command\" or \"args-only\"\nhint: did you mean `{close}`?"),
            None => "it is \"command\" or \"args-only\"".to_owned(),
        })
    }
}

/// A port that a role listens on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// `port`: its number, 1 to 65535.
    pub number: Spanned<u16>,
    /// What it is for.
    pub name: Option<Spanned<String>>,
    /// `tcp`, `udp` or `sctp`.
    pub protocol: Protocol,
    /// Only open when this feature of the component is on.
    pub when: Option<Spanned<FeatureName>>,
}

/// Transport protocols of `EXPOSE`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// TCP.
    #[default]
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
}

impl Text for Protocol {
    fn texts() -> Texts {
        Texts::Words(vec!["tcp", "udp", "sctp"])
    }
}

impl FromStr for Protocol {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "tcp" => Ok(Self::Tcp),
            "udp" => Ok(Self::Udp),
            "sctp" => Ok(Self::Sctp),
            _ => Err(format!("`{text}` is not a protocol; use tcp, udp or sctp")),
        }
    }
}

impl Protocol {
    /// Its name in small letters.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Sctp => "sctp",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// The user that a role runs as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum User {
    /// `uid` or `uid:gid`; the group is that of the user when absent.
    Numeric {
        /// User ID.
        uid: u32,
        /// Group ID.
        gid: Option<u32>,
    },
    /// Anything else. It is a rule's business to refuse it, because its level can be changed.
    Named(String),
}

impl Text for User {}

impl FromStr for User {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (uid, gid) = text.split_once(':').map_or((text, None), |(uid, gid)| (uid, Some(gid)));
        // digits only: `parse` alone would also take `+7`
        let number = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten();
        let numbers = (number(uid), gid.map(number));
        // `USER --x` would be a flag of the instruction
        let plain = |part: &str| {
            !part.starts_with('-')
                && !part.is_empty()
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
        };
        match numbers {
            (Some(uid), None) => Ok(Self::Numeric { uid, gid: None }),
            (Some(uid), Some(Some(gid))) => Ok(Self::Numeric { uid, gid: Some(gid) }),
            _ if plain(uid) && gid.is_none_or(plain) => Ok(Self::Named(text.to_owned())),
            _ => Err("a user is `uid:gid`, both numeric".to_owned()),
        }
    }
}

impl User {
    /// The numbers: its own, or those that a name has in nearly every image.
    /// <https://www.debian.org/doc/debian-policy/ch-opersys.html#uid-and-gid-classes>
    pub fn numbers(&self) -> Option<(u32, Option<u32>)> {
        let number = |name: &str| match name {
            "root" => Some(0),
            "nobody" | "nogroup" => Some(65534),
            digits => digits.parse().ok(),
        };
        match self {
            Self::Numeric { uid, gid } => Some((*uid, *gid)),
            Self::Named(name) => match name.split_once(':') {
                Some((user, group)) => Some((number(user)?, Some(number(group)?))),
                None => Some((number(name)?, None)),
            },
        }
    }
}

impl fmt::Display for User {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Numeric { uid, gid: None } => write!(out, "{uid}"),
            Self::Numeric { uid, gid: Some(gid) } => write!(out, "{uid}:{gid}"),
            Self::Named(name) => out.write_str(name),
        }
    }
}

/// A role that is not whole may lack its command, and then its user too: somebody else says them.
pub(super) fn decode_roles(table: &mut Table<'_>, is_whole: bool) -> Option<BTreeMap<RoleName, Box<Role>>> {
    let decode = |(name, item): (Spanned<RoleName>, Item<'_>)| {
        let role = item.table(|table| decode_role(table, name.span, is_whole))?;
        Some((name.value, Box::new(role)))
    };
    Some(table.named().into_iter().filter_map(decode).collect())
}

fn decode_role(table: &mut Table<'_>, span: Span, is_whole: bool) -> Option<Role> {
    let command = match table.optional("command") {
        Some(item) => decode_command(&item),
        None if is_whole => incomplete(table, "command"),
        None => Some(Vec::new()),
    };
    let args = table.optional("args").and_then(|item| item.list(Item::line_or_empty));
    let args_style = table.optional("args-style").and_then(|item| item.parsed());
    let probe = table.optional("probe").and_then(|item| decode_command(&item));
    let says_command = command.as_ref().is_none_or(|command| !command.is_empty());
    let user = match table.optional("user") {
        Some(item) => item.parsed(),
        None if says_command => incomplete(table, "user"),
        // never seen: whoever fills in the command fills in the user
        None => Some(Spanned::new(User::Named(String::new()), span)),
    };
    let workdir = table.optional("workdir").and_then(|item| item.parsed());
    let ports = table.optional("ports").and_then(|item| item.list(|port| port.table(decode_port)));
    let env = table.optional("env").and_then(|item| item.table(decode_env));
    let volumes = table.optional("volumes").and_then(|item| item.list(Item::parsed));
    let stop_signal = table.optional("stop-signal").and_then(|item| item.parsed());
    let healthcheck = table.optional("healthcheck");
    let healthcheck = healthcheck.and_then(|item| Some(Spanned::new(item.table(decode_healthcheck)?, item.span)));
    let needs = table.optional("needs").and_then(|item| item.list(Item::parsed));
    let aliases = table.optional("aliases").and_then(|item| item.list(Item::parsed));
    let boundary = table.optional("boundary").and_then(|item| item.line());
    let waits_for = table.optional("waits-for").and_then(|item| item.list(Item::parsed));
    let when = table.optional("when").and_then(|item| item.parsed());
    Some(Role {
        span,
        command: command?,
        is_replaced: false,
        args: args.unwrap_or_default(),
        args_style,
        probe,
        user: user?,
        workdir,
        ports: ports.unwrap_or_default(),
        env: env.unwrap_or_default(),
        volumes: volumes.unwrap_or_default(),
        stop_signal,
        healthcheck,
        needs: needs.unwrap_or_default(),
        aliases: aliases.unwrap_or_default(),
        boundary,
        waits_for: waits_for.unwrap_or_default(),
        when,
    })
}

/// Which keys a role needs depends on the build kind, which a schema of roles does not know: so it is no missing key.
fn incomplete<T>(table: &Table<'_>, key: &str) -> Option<T> {
    let report = Diagnostic::error("role-incomplete", format!("the role has no `{key}`")).label(table.span, "");
    table.report(report.help("only a role of an existing Dockerfile without a `command` is taken from there"));
    None
}

/// A command is a program by absolute path, then its arguments. Arguments may be empty; the program may not.
pub(super) fn decode_command(item: &Item<'_>) -> Option<Vec<Spanned<String>>> {
    let words = item.list(Item::line_or_empty)?;
    match words.first() {
        None => {
            item.report("invalid-value", "a command needs a program");
            None
        }
        Some(program) if program.value.parse::<ImagePath>().is_err() => {
            let program = &program.value;
            item.report_with_help("relative-command", format!("the program `{program}` is not an absolute path"), "a relative program depends on PATH and the working directory of another image; write the path it is installed at");
            None
        }
        Some(_) => Some(words),
    }
}

fn decode_port(table: &mut Table<'_>) -> Option<Port> {
    let number = table.required("port").and_then(|item| item.integer(1..=65535));
    let name = table.optional("name").and_then(|item| item.line());
    let protocol = decode_protocol(table);
    let when = table.optional("when").and_then(|item| item.parsed());
    let number = number?.map(|number| u16::try_from(number).unwrap_or(u16::MAX));
    Some(Port { number, name, protocol, when })
}

/// `protocol`, which is TCP when absent.
pub(super) fn decode_protocol(table: &mut Table<'_>) -> Protocol {
    let protocol = table.optional("protocol").and_then(|item| item.parsed::<Protocol>());
    protocol.map(|protocol| protocol.value).unwrap_or_default()
}

/// Environment: names as POSIX has them; values are any one line, which may be empty.
pub(super) fn decode_env(table: &mut Table<'_>) -> Option<BTreeMap<String, Spanned<String>>> {
    let decode = |(name, item): (Spanned<EnvName>, Item<'_>)| Some((name.value.0, item.line_or_empty()?));
    Some(table.named().into_iter().filter_map(decode).collect())
}

/// Whether a text is the name of an environment variable, as POSIX has them.
pub(super) fn is_variable_name(text: &str) -> bool {
    let valid = |(index, b): (usize, u8)| b == b'_' || b.is_ascii_alphabetic() || (index > 0 && b.is_ascii_digit());
    !text.is_empty() && text.len() <= 255 && text.bytes().enumerate().all(valid)
}

struct EnvName(String);

impl Text for EnvName {
    fn texts() -> Texts {
        Texts::Pattern("^[A-Za-z_][A-Za-z0-9_]{0,254}$")
    }
}

impl FromStr for EnvName {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if is_variable_name(text) {
            Ok(Self(text.to_owned()))
        } else {
            let text: String = text.chars().take(64).collect();
            Err(format!(
                "`{text}` is not the name of an environment variable: letters, digits and `_`, not beginning with a digit"
            ))
        }
    }
}
