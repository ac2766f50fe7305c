//! The facts of a Dockerfile against the configuration of the image that BuildKit makes of it.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;

use groupage::dockerfile::{Dockerfile, Ports, Setting, evaluate};
use serde_json::{Map, Value as Json, json};

use super::corpus::{Case, cases, shelf};

/// What the cases that can be built begin with; other tests make the same.
const BASE: &str = "localhost/groupage-test-shell";
/// What BuildKit adds to images without a path.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// What is compared.
const KEYS: [&str; 11] = [
    "Cmd",
    "Entrypoint",
    "Env",
    "ExposedPorts",
    "Healthcheck",
    "Labels",
    "Shell",
    "StopSignal",
    "User",
    "Volumes",
    "WorkingDir",
];

/// One request to the daemon on its default socket. HTTP 1.0, so that the answer simply ends.
fn daemon(method: &str, path: &str, body: &[u8]) -> (u16, String) {
    let mut socket = UnixStream::connect("/var/run/docker.sock").expect("a daemon");
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.0\r\nHost: docker\r\nContent-Type: application/x-tar\r\nContent-Length: {length}\r\n\r\n"
    );
    socket.write_all(head.as_bytes()).and_then(|()| socket.write_all(body)).expect("it listens");
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).expect("it answers");
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, body.to_owned())
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

/// An image with a shell, of the static busybox of this machine.
fn import_base() {
    if daemon("GET", &format!("/images/{BASE}:1/json"), &[]).0 == 200 {
        return;
    }
    let busybox = ["/bin/busybox", "/usr/bin/busybox"].into_iter().find(|path| Path::new(path).exists());
    let busybox = std::fs::read(busybox.expect("this test needs the package busybox-static")).expect("a file");
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o755);
    header.set_size(busybox.len() as u64);
    archive.append_data(&mut header, "bin/busybox", busybox.as_slice()).expect("memory");
    for applet in [
        "sh", "sleep", "ls", "seq", "true", "false", "cat", "mkdir", "printf", "echo", "ln", "cp", "chmod", "wc",
        "head", "id", "env",
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_size(0);
        archive.append_link(&mut header, format!("bin/{applet}"), "busybox").expect("memory");
    }
    let archive = archive.into_inner().expect("memory");
    let (status, said) = daemon("POST", &format!("/images/create?fromSrc=-&repo={}&tag=1", encoded(BASE)), &archive);
    assert_eq!(status, 200, "{said}");
}

/// The configuration of the image that BuildKit makes.
fn built(case: &Case) -> Map<String, Json> {
    let name = format!("localhost/groupage-test-dockerfiles:{}", case.name);
    let mut context = tar::Builder::new(Vec::new());
    context.append_dir_all(".", &case.folder).expect("memory");
    let context = context.into_inner().expect("memory");
    let args = encoded(&json!(case.args).to_string());
    let path = format!("/build?version=2&networkmode=none&buildargs={args}&t={}", encoded(&name));
    let (status, said) = daemon("POST", &path, &context);
    assert!(status == 200 && !said.contains("\"errorDetail\""), "{}: {said}", case.name);
    let (_, image) = daemon("GET", &format!("/images/{name}/json"), &[]);
    let image: Json = serde_json::from_str(&image).expect("JSON");
    daemon("DELETE", &format!("/images/{name}"), &[]);
    image["Config"].as_object().expect("an object").clone()
}

/// The configuration that the facts tell.
fn told(case: &Case) -> Map<String, Json> {
    let file = Dockerfile::parse(&case.text).expect("it is read elsewhere");
    let facts = evaluate(&file, None, &case.args).expect("it is read elsewhere");
    let mut env = vec![("PATH".to_owned(), PATH.to_owned())];
    for variable in &facts.env {
        // the path of the base is not in the file
        let value = variable.value.value.otherwise();
        let value = if value == "/opt/bin:" { format!("{value}{PATH}") } else { value.to_owned() };
        match env.iter_mut().find(|(name, _)| *name == variable.name) {
            Some((_, old)) => *old = value,
            None => env.push((variable.name.clone(), value)),
        }
    }
    let mut ports = Map::new();
    for exposed in &facts.exposed {
        let Ports::Known { first, last, protocol } = &exposed.value else { panic!("{}", case.name) };
        ports.extend((*first..=*last).map(|port| (format!("{port}/{protocol}"), json!({}))));
    }
    let labels = facts.labels.iter().map(|(name, label)| (name.clone(), json!(label.value.otherwise())));
    let volumes = facts.volumes.iter().map(|volume| (volume.value.otherwise().to_owned(), json!({})));
    let check = facts.healthcheck.as_ref().map(|check| &check.value).map(|check| {
        let times = [("Interval", check.interval), ("Timeout", check.timeout), ("StartPeriod", check.start_period)];
        let times = times.into_iter().filter_map(|(name, time)| Some((name.to_owned(), json!(time?))));
        let retries = check.retries.map(|retries| ("Retries".to_owned(), json!(retries)));
        times.chain(retries).chain([("Test".to_owned(), json!(check.test))]).collect::<Map<_, _>>()
    });
    let cmd = if let Setting::Set(cmd) = &facts.cmd { Some(&cmd.value.words) } else { None };
    let told = json!({
        "Cmd": cmd,
        "Entrypoint": facts.entrypoint.as_ref().map(|entrypoint| &entrypoint.value.words),
        "Env": env.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>(),
        "ExposedPorts": ports,
        "Healthcheck": check,
        "Labels": labels.collect::<Map<_, _>>(),
        "Shell": facts.shell.as_ref().map(|shell| &shell.value),
        "StopSignal": facts.stop_signal.as_ref().map(|signal| signal.value.otherwise()),
        "User": facts.user.as_ref().map(|user| user.value.otherwise()),
        "Volumes": volumes.collect::<Map<_, _>>(),
        "WorkingDir": facts.workdir.as_ref().map(|workdir| workdir.value.otherwise()),
    });
    told.as_object().expect("an object").clone()
}

/// Nothing, in any of its forms; `/` is the folder without any.
fn is_nothing(value: &Json) -> bool {
    [json!(null), json!(""), json!("/"), json!([]), json!({})].contains(value)
}

#[test]
fn needs_engine_facts_are_what_the_image_has() {
    import_base();
    let list = std::fs::read_to_string(shelf().join("buildable.txt")).expect("a list");
    let is_listed = |case: &Case| list.lines().any(|line| line.split(' ').next() == Some(&case.name));
    let mut wrong = Vec::new();
    for case in cases().iter().filter(|case| is_listed(case)) {
        let (built, told) = (built(case), told(case));
        for key in KEYS {
            let (built, told) = (built.get(key).unwrap_or(&Json::Null), &told[key]);
            if built != told && !(is_nothing(built) && is_nothing(told)) {
                wrong.push(format!("{} {key}: the image has {built}, the facts say {told}", case.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
