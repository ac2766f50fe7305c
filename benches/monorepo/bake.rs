//! The same images for `docker buildx bake`, as a careful person writes them: a stage for each component, one layer for each
//! in the image, nothing in the context that no image needs (BuildKit asks for the files of `COPY` only), and targets that
//! do not depend on each other.

use serde_json::{Map, json};

use super::{Monorepo, manifests};

/// Where the bake file is.
pub const FILE: &str = "bake/docker-bake.json";

/// The Dockerfile of an image.
pub fn dockerfile(image: usize) -> String {
    format!("bake/{}.Dockerfile", Monorepo::image_name(image))
}

pub fn write(monorepo: &Monorepo) {
    let (mut names, mut targets) = (Vec::new(), Map::new());
    for number in 0..monorepo.size.images {
        let name = Monorepo::image_name(number);
        monorepo.write(&dockerfile(number), text(monorepo, number));
        let tag = format!("{}/{name}:2.{number}.0", monorepo.registry("bake"));
        targets.insert(name.clone(), json!({ "context": ".", "dockerfile": dockerfile(number), "tags": [tag] }));
        names.push(name);
    }
    let file = json!({ "group": { "default": { "targets": names } }, "target": targets });
    monorepo.write(FILE, serde_json::to_string_pretty(&file).unwrap());
}

fn text(monorepo: &Monorepo, image: usize) -> String {
    let parts: Vec<usize> = monorepo.size.parts(image).collect();
    let (mut stages, mut copies, mut rest) = (String::new(), String::new(), String::new());
    for part in &parts {
        let name = Monorepo::component_name(*part);
        stages += &format!(
            "FROM scratch AS {name}\nCOPY --chmod=0755 components/{name}/app /opt/{name}/bin/app\n\
             COPY --chmod=0644 components/{name}/app.conf /opt/{name}/etc/app.conf\n\n"
        );
        copies += &format!("COPY --from={name} / /\n");
        rest += &format!("ENV BENCH_{part:04}=on\nEXPOSE {}/tcp\n", manifests::port(*part));
    }
    let first = Monorepo::component_name(parts[0]);
    format!(
        "{stages}FROM scratch\n{copies}{rest}LABEL org.opencontainers.image.title={} org.opencontainers.image.version=2.{image}.0\n\
         USER {}\nENTRYPOINT [\"/opt/{first}/bin/app\", \"--config=/opt/{first}/etc/app.conf\"]\n",
        Monorepo::image_name(image),
        manifests::USER,
    )
}
