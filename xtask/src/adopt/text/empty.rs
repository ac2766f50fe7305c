//! The files of an empty start: a small workspace whose every line says what it is for.

use super::NewFile;

const SETTINGS: &str = r#"# Settings of all components and images.
schema = 1

# What images stand on. `provides` is what roles may need of it.
[bases.busybox]
image = "docker.io/library/busybox:1.36"
provides = ["shell"]

# Where images go, and what their names begin with.
# [registry]
# default = "registry.example/team"

# Every rule of `check` can be set to "allow", "warn" or "deny".
# [rules]
# moving-tag = "deny"
"#;

const COMPONENT: &str = r#"# One program. This one takes files as they are; other kinds build them:
# [build.dockerfile], [build.cargo], [build.go], [build.script] and [build.image].
schema = 1
name = "hello"
description = "says hello; an example to be replaced"
owner = "@your-team"
version = "0.1.0"

[build.files]

# What goes into the image, and where.
[[install]]
from = "hello.sh"
to = "/usr/bin/hello"
mode = "0755"

# How a consumer starts it. Users are numbers, so that a cluster can prove that it is not root.
[roles.hello]
command = ["/usr/bin/hello"]
user = "65534:65534"
needs = ["shell"]
"#;

const PROGRAM: &str = "#!/bin/sh\necho \"hello from a component\"\n";

const IMAGE: &str = r#"# What is merged into one image.
schema = 1
name = "tools"
version = "0.1.0"
base = "busybox"
default-role = "hello"
platforms = ["linux/amd64", "linux/arm64"]

# Its components, each with the features that it is to have.
[components]
hello = {}
"#;

/// The files, in the order in which they are read.
pub fn empty() -> Vec<NewFile> {
    let files = [
        ("groupage.toml", SETTINGS),
        ("components/hello/component.toml", COMPONENT),
        ("components/hello/hello.sh", PROGRAM),
        ("images/tools/image.toml", IMAGE),
    ];
    files.map(|(path, text)| NewFile { path: path.to_owned(), text: text.to_owned() }).into()
}
