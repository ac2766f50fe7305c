use super::*;

fn check(line: &str, expected: Result<Options, &str>) {
    let args = [crate::NAME].into_iter().chain(line.split_whitespace());
    let result = parse(args.map(|arg| OsString::from(arg.replace('\'', "")))).map_err(|error| error.to_string());
    match (&result, expected) {
        (Err(message), Err(part)) => assert!(message.contains(part), "{line}: {message}"),
        (result, expected) => assert_eq!(*result, expected.map(Request::Run).map_err(str::to_owned), "{line}"),
    }
}

fn watching(dirs: &[&str], hook: Hook) -> Options {
    let dirs = dirs.iter().map(PathBuf::from).collect();
    let metrics_address = Some(METRICS_ADDRESS.to_owned());
    Options { mode: Mode::Watch(Watch { dirs, debounce: Duration::from_millis(500), metrics_address }), hook }
}

fn webhooks(urls: &[&str]) -> Hook {
    let urls = urls.iter().map(ToString::to_string).collect();
    Hook { webhooks: Webhooks { urls, ..Webhooks::default() }, process: None }
}

fn process(name: &str, signal: Signal) -> Hook {
    Hook { process: Some(Process { name: name.to_owned(), signal }), ..webhooks(&[]) }
}

#[test]
fn options_have_the_documented_defaults() {
    check("--watch-dir /a --webhook-url http://x/", Ok(watching(&["/a"], webhooks(&["http://x/"]))));
    check("--watch-dir /a --watch-dir=/b --process-name fluentd", {
        Ok(watching(&["/a", "/b"], process("fluentd", Signal::HUP)))
    });
    check("--init --process-name x --signal SIGUSR1", {
        Ok(Options { mode: Mode::Init, hook: process("x", Signal::USR1) })
    });
}

#[test]
fn webhooks_can_be_tuned() {
    let tuned = Webhooks {
        urls: vec!["http://x/".to_owned(), "http://y/".to_owned()],
        method: "PUT".to_owned(),
        status: Some(204),
        retries: 0,
        timeout: Duration::from_secs(1),
    };
    check(
        "--init --webhook-url http://x/ --webhook-url http://y/ --webhook-method PUT --webhook-status-code 204 \
         --webhook-retries 0 --webhook-timeout 1s",
        Ok(Options { mode: Mode::Init, hook: Hook { webhooks: tuned, process: None } }),
    );
}

#[test]
fn wrong_usage_is_explained() {
    check("", Err("--webhook-url or --process-name is missing"));
    check("--watch-dir /a", Err("--webhook-url or --process-name is missing"));
    check("--process-name x", Err("--watch-dir is missing"));
    check("--watch-dir '' --process-name x", Err("--watch-dir is empty"));
    check("--watch-dir /a --process-name ''", Err("--process-name is empty"));
    check("--init --watch-dir /a --process-name x", Err("takes no --watch-dir"));
    check("--watch-dir /a --signal HUP --webhook-url http://x/", Err("--signal needs --process-name"));
    check("--watch-dir /a --process-name x --signal KILL", Err("expected HUP"));
    check("--watch-dir /a --process-name x --debounce 5", Err("--debounce \"5\": time unit needed"));
    check("--watch-dir /a --webhook-url https://x/", Err("plain HTTP only"));
    check("--init --webhook-url http://x/ --webhook-status-code 0", Err("from 100 to 599"));
    check("--init --webhook-url http://x/ --webhook-method post", Err("expected GET"));
    check("--watchdir /a", Err("--watchdir"));
}

#[cfg(feature = "metrics")]
#[test]
fn metrics_can_be_moved_and_switched_off() {
    for (text, expected) in [(":0", Some(":0".to_owned())), ("off", None)] {
        let mut options = watching(&["/a"], process("x", Signal::HUP));
        if let Mode::Watch(watch) = &mut options.mode {
            watch.metrics_address = expected;
        }
        check(&format!("--watch-dir /a --process-name x --metrics-address {text}"), Ok(options));
    }
    check("--metrics-address 9533", Err("expected HOST:PORT or `off`"));
}

#[cfg(not(feature = "metrics"))]
#[test]
fn metrics_need_the_feature() {
    check("--metrics-address off", Err("needs the feature `metrics`"));
}
