//! Counts what happened, and with the feature `metrics` tells it to Prometheus.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters since the start of the program.
#[derive(Debug, Default)]
pub(crate) struct Stats {
    changes: AtomicU64,
    reloads: Results,
    calls: Results,
}

#[derive(Debug, Default)]
struct Results {
    success: AtomicU64,
    failure: AtomicU64,
    last_failed: AtomicU64,
}

impl Results {
    fn add(&self, success: bool) {
        let counter = if success { &self.success } else { &self.failure };
        counter.fetch_add(1, Ordering::Relaxed);
        self.last_failed.store(u64::from(!success), Ordering::Relaxed);
    }
}

impl Stats {
    /// Content has changed.
    pub(crate) fn changed(&self) {
        self.changes.fetch_add(1, Ordering::Relaxed);
    }

    /// The hook has run, with all of its parts.
    pub(crate) fn reloaded(&self, success: bool) {
        self.reloads.add(success);
    }

    /// A webhook was called, each attempt counted.
    pub(crate) fn called(&self, success: bool) {
        self.calls.add(success);
    }
}

#[cfg(feature = "metrics")]
mod exposed {
    use std::sync::Arc;

    use metrics_endpoint::{Endpoint, Exposition, Family, Kind};

    use super::{AtomicU64, Ordering, Results, Stats};

    /// Serves the counters on `address` until the result is dropped.
    pub(crate) fn serve(address: &str, stats: &Arc<Stats>) -> Result<Endpoint, String> {
        let stats = Arc::clone(stats);
        let endpoint = Endpoint::start(address, move || text(&stats)).map_err(|error| error.to_string())?;
        crate::log(format_args!("serving http://{}/metrics", endpoint.address()));
        Ok(endpoint)
    }

    fn text(stats: &Stats) -> String {
        let mut exposition = Exposition::new();
        exposition
            .family("config_reloader_changes_total", Kind::Counter, "Changes of content that were seen.")
            .sample(&[], read(&stats.changes));
        let help = "Runs of the hook, all of its calls and signals together.";
        results(exposition.family("config_reloader_reloads_total", Kind::Counter, help), &stats.reloads);
        let help = "Calls of webhooks, every attempt counted.";
        results(exposition.family("config_reloader_webhook_calls_total", Kind::Counter, help), &stats.calls);
        exposition
            .family("config_reloader_last_reload_failed", Kind::Gauge, "Whether the last run of the hook failed.")
            .sample(&[], read(&stats.reloads.last_failed));
        exposition.finish()
    }

    fn results(mut family: Family<'_>, results: &Results) {
        family.sample(&[("result", "success")], read(&results.success));
        family.sample(&[("result", "failure")], read(&results.failure));
    }

    fn read(counter: &AtomicU64) -> u64 {
        counter.load(Ordering::Relaxed)
    }

    #[test]
    fn counters_are_told() {
        let stats = Stats::default();
        stats.changed();
        stats.called(false);
        stats.called(true);
        stats.reloaded(true);
        stats.reloaded(false);
        let text = text(&stats);
        let samples: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
        let expected = [
            "config_reloader_changes_total 1",
            "config_reloader_reloads_total{result=\"success\"} 1",
            "config_reloader_reloads_total{result=\"failure\"} 1",
            "config_reloader_webhook_calls_total{result=\"success\"} 1",
            "config_reloader_webhook_calls_total{result=\"failure\"} 1",
            "config_reloader_last_reload_failed 1",
        ];
        assert_eq!(samples, expected);
    }
}

#[cfg(feature = "metrics")]
pub(crate) use exposed::serve;
