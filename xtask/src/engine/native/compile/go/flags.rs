//! What Go is told, so that a program has the bytes that the container of the Docker engine gives it.
//!
//! | what | what is done |
//! |---|---|
//! | paths of sources, modules and Go itself | `-trimpath` leaves none |
//! | the revision and its time, which Go asks git for | `-buildvcs=false` |
//! | settings of people: variables, and the file of `go env -w` | only the variables of [`KEPT`] reach Go, and `GOENV=off` |
//! | platform, experiments, level of the architecture | set for every run, as in the template |
//! | another toolchain, which a newer Go would fetch by itself | `GOTOOLCHAIN=local`; the version is part of the fingerprint |
//! | a `go.work` above the workspace | `GOWORK` names the one of the plan, or is off |
//! | C compilers | nothing can be done; with `cgo = true` bytes are those of this machine |

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use super::{GoOptions, GoProgram};

/// Variables that reach Go: where tools, the network and accounts are.
const KEPT: &[&str] = &[
    "ALL_PROXY",
    "all_proxy",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GOAUTH",
    "GOINSECURE",
    "GONOPROXY",
    "GONOSUMDB",
    "GOPRIVATE",
    "GOSUMDB",
    "GOVCS",
    "HOME",
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "NETRC",
    "NO_PROXY",
    "no_proxy",
    "PATH",
    "SSH_AUTH_SOCK",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "USER",
];

/// The variables of a run: of `go build` for a program, or of a question about Go itself.
pub(super) fn environment(options: &GoOptions, program: Option<&GoProgram>) -> BTreeMap<String, String> {
    let given = &options.environment;
    let kept = KEPT.iter().filter_map(|name| Some(((*name).to_owned(), given.get(*name)?.clone())));
    let mut variables: BTreeMap<String, String> = kept.collect();
    let mut set = |name: &str, value: &str| _ = variables.insert(name.to_owned(), value.to_owned());
    set("GOENV", "off");
    set("GOTOOLCHAIN", "local");
    set("GO111MODULE", "on");
    set("GOCACHE", options.folder.join("build").as_str());
    set("GOMODCACHE", options.folder.join("mod").as_str());
    set("GOPATH", options.folder.as_str());
    // on the same file system as the program, so that it appears by rename
    set("GOTMPDIR", options.folder.join("tmp").as_str());
    set("GOPROXY", &proxies(options));
    set("GOWORK", "off");
    if let Some(program) = program {
        set("GOOS", program.platform.os());
        set("GOARCH", program.platform.architecture());
        set("CGO_ENABLED", if program.cgo { "1" } else { "0" });
        match program.platform.architecture() {
            "arm" => set("GOARM", program.platform.variant().unwrap_or("v7").trim_start_matches('v')),
            "amd64" => set("GOAMD64", program.platform.variant().unwrap_or("v1")),
            _ => {}
        }
        if let Some(work) = &program.work {
            set("GOWORK", options.root.join(work).as_str());
        }
    }
    variables
}

/// Where modules are looked for: first among those that were fetched by this machine's own Go, which is no network.
fn proxies(options: &GoOptions) -> String {
    let given = |name: &str| options.environment.get(name).map(Utf8PathBuf::from).filter(|path| path.is_absolute());
    let path = given("GOPATH").or_else(|| Some(given("HOME")?.join("go")));
    let own = given("GOMODCACHE").or_else(|| Some(path?.join("pkg/mod"))).map(|cache| cache.join("cache/download"));
    let own = own.filter(|folder| folder.is_dir() && is_plain(folder)).map(|folder| format!("file://{folder}"));
    let others = match options.offline {
        true => "off".to_owned(),
        false => {
            let set = options.environment.get("GOPROXY").filter(|set| !set.is_empty());
            set.cloned().unwrap_or_else(|| "https://proxy.golang.org,direct".to_owned())
        }
    };
    own.into_iter().chain([others]).collect::<Vec<_>>().join(",")
}

/// Whether a path means itself in a list of addresses.
fn is_plain(path: &Utf8Path) -> bool {
    !path.as_str().contains([',', '|', '%', ' ', '?', '#'])
}

/// Arguments of `go` for a program.
pub(super) fn arguments(program: &GoProgram, output: &Utf8Path) -> Vec<String> {
    let modules = if program.vendored { "vendor" } else { "readonly" };
    let mut arguments: Vec<String> =
        ["build", "-v", "-trimpath", "-buildvcs=false", "-modcacherw"].map(str::to_owned).into();
    arguments.push(format!("-mod={modules}"));
    if !program.tags.is_empty() {
        arguments.push(format!("-tags={}", program.tags.join(",")));
    }
    if !program.ldflags.is_empty() {
        arguments.push(format!("-ldflags={}", program.ldflags.join(" ")));
    }
    arguments.extend(["-o".to_owned(), output.to_string(), program.package.clone()]);
    arguments
}
