//! What groupage reads of a monorepo.

use super::Monorepo;

/// The configuration file of a component.
pub fn configuration(component: usize) -> String {
    format!("[server]\nname = \"{}\"\nport = {:05}\n", Monorepo::component_name(component), port(component))
}

/// Components of one image have ports of their own.
pub fn port(component: usize) -> usize {
    10_000 + component
}

/// What every image is told to do besides: the role of its first component.
pub const USER: &str = "65532:65532";

pub fn write(monorepo: &Monorepo) {
    let registry = monorepo.registry("ours");
    monorepo.write("groupage.toml", format!("schema = 1\n\n[registry]\ndefault = \"{registry}\"\n"));
    monorepo.write(".gitignore", "/target\n");
    monorepo.write(".dockerignore", "components/*/src\nimages\ntarget\n");
    (0..monorepo.size.components).for_each(|number| component(monorepo, number));
    (0..monorepo.size.images).for_each(|number| image(monorepo, number));
}

fn component(monorepo: &Monorepo, number: usize) {
    let (name, port) = (Monorepo::component_name(number), port(number));
    let text = format!(
        r#"schema = 1
name = "{name}"
description = "does what it does, since always and very well"
owner = "@team-{team}"
version = "1.{number}.0"

[build.files]

[features]
default = ["metrics"]
metrics = []
tracing = []

[[install]]
from = "app"
to = "/opt/{name}/bin/app"
mode = "0755"

[[install]]
from = "app.conf"
to = "/opt/{name}/etc/app.conf"
mode = "0644"

[roles.{name}]
command = ["/opt/{name}/bin/app", "--config=/opt/{name}/etc/app.conf"]
user = "{USER}"
ports = [{{ port = {port}, name = "metrics", when = "metrics" }}]
env = {{ BENCH_{number:04} = "on" }}
"#,
        team = number % 17,
    );
    monorepo.write(&format!("components/{name}/component.toml"), text);
}

fn image(monorepo: &Monorepo, number: usize) {
    let name = Monorepo::image_name(number);
    let parts: Vec<String> = monorepo.size.parts(number).map(Monorepo::component_name).collect();
    let last = parts.len() - 1;
    let line = |(index, part): (usize, &String)| match index == last {
        true => format!("{part} = {{ optional = true }}\n"),
        false => format!("{part} = {{}}\n"),
    };
    let components: String = parts.iter().enumerate().map(line).collect();
    let text = format!(
        r#"schema = 1
name = "{name}"
description = "holds what team {number} needs"
version = "2.{number}.0"
base = "scratch"
default-role = "{first}"
platforms = ["linux/amd64"]

[components]
{components}
[features]
default = ["last"]
last = ["dep:{optional}", "{first}/tracing"]
"#,
        first = parts[0],
        optional = parts[last],
    );
    monorepo.write(&format!("images/{name}/image.toml"), text);
}
