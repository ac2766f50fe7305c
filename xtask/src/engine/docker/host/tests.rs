//! A table: what is set, which files exist, which daemon that means.

use std::collections::BTreeMap;

use super::*;

/// Files by path, variables by name; the expectation is the address with its origin, or a part of the error.
fn check(argument: Option<&str>, variables: &[(&str, &str)], files: &[(&str, &str)], expect: &str) {
    let variables: BTreeMap<&str, &str> = variables.iter().copied().collect();
    let lookup = |name: &str| variables.get(name).map(|value| (*value).to_owned());
    let environment = Environment::from_variables(lookup, Some("/home/u".into()));
    let read = |path: &Utf8Path| {
        let found = files.iter().find(|(name, _)| *name == path.as_str());
        found.map(|(_, text)| text.as_bytes().to_vec()).ok_or_else(|| io::ErrorKind::NotFound.into())
    };
    let text = match resolve(argument, &environment, &read) {
        Ok(Host { address: Address::Tls(authority, files), origin }) => {
            format!("tls {authority} {} {origin}", files.ca)
        }
        Ok(Host { address, origin }) => format!("{address} {origin}"),
        Err(error) => error.to_string(),
    };
    assert!(text.contains(expect), "{text:?} does not contain {expect:?}");
}

fn store_file(kind: &str, file: &str) -> String {
    let name: String = store::folder_name("remote");
    format!("/home/u/.docker/contexts/{kind}/{name}/{file}")
}

#[test]
fn addresses() {
    check(None, &[], &[], "unix:///var/run/docker.sock the default");
    check(Some("tcp://h:1"), &[("DOCKER_HOST", "tcp://other:2")], &[], "tcp://h:1 the command line");
    check(None, &[("DOCKER_HOST", "unix:///run/x.sock")], &[], "unix:///run/x.sock DOCKER_HOST");
    check(None, &[("DOCKER_HOST", "")], &[], "the default");
    check(None, &[("DOCKER_HOST", "tcp://h:2375/")], &[], "tcp://h:2375 DOCKER_HOST");
    check(None, &[("DOCKER_HOST", "tcp://[::1]:2375")], &[], "tcp://[::1]:2375");
    check(None, &[("DOCKER_HOST", "tcp://h")], &[], "no daemon address");
    check(None, &[("DOCKER_HOST", "h:2375")], &[], "no daemon address");
    check(None, &[("DOCKER_HOST", "unix://relative")], &[], "no daemon address");
    check(None, &[("DOCKER_HOST", "ssh://u@h")], &[], "hint: forward the socket");
}

#[test]
fn passwords_are_not_shown() {
    check(None, &[("DOCKER_HOST", "tcp://u:pw@h:1")], &[], "tcp://***@h:1 DOCKER_HOST");
    check(None, &[("DOCKER_HOST", "tcp://u:pw@h")], &[], r#"is "tcp://***@h", which is no daemon address"#);
    check(None, &[("DOCKER_HOST", "ssh://u:pw@h")], &[], "DOCKER_HOST is ssh://***@h, and");
}

#[test]
fn tls() {
    let on = ("DOCKER_TLS_VERIFY", "1");
    let host = ("DOCKER_HOST", "tcp://h:2376");
    let pems = [("/c/ca.pem", ""), ("/c/cert.pem", ""), ("/c/key.pem", "")];
    let home = [("/home/u/.docker/ca.pem", ""), ("/home/u/.docker/cert.pem", ""), ("/home/u/.docker/key.pem", "")];
    check(None, &[host, on, ("DOCKER_CERT_PATH", "/c")], &pems, "tls h:2376 /c/ca.pem DOCKER_HOST");
    check(None, &[host, on], &home, "tls h:2376 /home/u/.docker/ca.pem");
    check(None, &[host, on, ("DOCKER_CONFIG", "/c")], &pems, "tls h:2376 /c/ca.pem");
    check(None, &[host, on, ("DOCKER_CERT_PATH", "/c")], &pems[..2], "failed to read /c/key.pem");
    check(None, &[host, ("DOCKER_TLS_VERIFY", "")], &[], "tcp://h:2376 DOCKER_HOST");
    check(None, &[on], &[], "unix:///var/run/docker.sock");
}

#[test]
fn docker_contexts() {
    let meta = store_file("meta", "meta.json");
    let [ca, cert, key] = ["ca.pem", "cert.pem", "key.pem"].map(|name| store_file("tls", &format!("docker/{name}")));
    let unix = r#"{"Name":"remote","Endpoints":{"docker":{"Host":"unix:///run/r.sock","SkipTLSVerify":false}}}"#;
    let tcp = r#"{"Name":"remote","Endpoints":{"docker":{"Host":"tcp://r:2376"}}}"#;
    let skip = r#"{"Name":"remote","Endpoints":{"docker":{"Host":"tcp://r:2376","SkipTLSVerify":true}}}"#;
    let ssh = r#"{"Name":"remote","Endpoints":{"docker":{"Host":"ssh://r"}}}"#;
    let variable = ("DOCKER_CONTEXT", "remote");
    let current = ("/home/u/.docker/config.json", r#"{"auths":{},"currentContext":"remote"}"#);
    check(None, &[variable], &[(&meta, unix)], r#"unix:///run/r.sock docker context "remote""#);
    check(None, &[], &[current, (&meta, unix)], "unix:///run/r.sock");
    check(None, &[("DOCKER_CONTEXT", "default")], &[current, (&meta, unix)], "the default");
    check(None, &[("DOCKER_HOST", "tcp://h:1"), variable], &[(&meta, unix)], "tcp://h:1 DOCKER_HOST");
    check(None, &[variable], &[(&meta, tcp)], "tcp://r:2376");
    check(None, &[variable], &[(&meta, tcp), (&ca, ""), (&cert, ""), (&key, "")], "tls r:2376");
    check(None, &[variable], &[(&meta, tcp), (&ca, "")], "failed to read");
    check(None, &[variable], &[(&meta, skip), (&ca, ""), (&cert, ""), (&key, "")], "turns verification off");
    check(None, &[variable], &[(&meta, ssh)], "hint: forward the socket");
    check(None, &[variable], &[], "there is no such context");
    check(None, &[variable], &[(&meta, "{")], "EOF");
    check(None, &[variable], &[(&meta, "{}")], "no docker endpoint");
    check(None, &[], &[("/home/u/.docker/config.json", "{")], "failed to read /home/u/.docker/config.json");
}

#[test]
fn folder_names_are_hashes() {
    let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(store::folder_name("abc"), known);
}
