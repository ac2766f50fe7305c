//! Counts what happened, and with the feature `metrics` tells it to Prometheus.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters since the start of the program, and the size of the last good input.
#[derive(Debug, Default)]
pub(crate) struct Stats {
    rendered: AtomicU64,
    failed: AtomicU64,
    errors: AtomicU64,
    last_failed: AtomicU64,
    flows: AtomicU64,
    outputs: AtomicU64,
}

impl Stats {
    /// The output is up to date.
    pub(crate) fn rendered(&self) {
        self.rendered.fetch_add(1, Ordering::Relaxed);
        self.last_failed.store(0, Ordering::Relaxed);
    }

    /// The output stays as it was, because of so many errors.
    pub(crate) fn failed(&self, errors: usize) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        self.errors.fetch_add(errors as u64, Ordering::Relaxed);
        self.last_failed.store(1, Ordering::Relaxed);
    }

    /// The input has so many documents.
    pub(crate) fn holds(&self, flows: usize, outputs: usize) {
        self.flows.store(flows as u64, Ordering::Relaxed);
        self.outputs.store(outputs as u64, Ordering::Relaxed);
    }
}

#[cfg(feature = "metrics")]
mod exposed {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use metrics_endpoint::{Endpoint, Exposition, Kind};

    use super::Stats;

    /// Serves the counters on `address` until the result is dropped.
    pub(crate) fn serve(address: &str, stats: &Arc<Stats>) -> Result<Endpoint, String> {
        let stats = Arc::clone(stats);
        let endpoint = Endpoint::start(address, move || text(&stats)).map_err(|error| error.to_string())?;
        crate::log(format_args!("serving http://{}/metrics", endpoint.address()));
        Ok(endpoint)
    }

    fn text(stats: &Stats) -> String {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let mut exposition = Exposition::new();
        exposition
            .family("log_controller_renders_total", Kind::Counter, "Attempts to render the pipeline.")
            .sample(&[("result", "success")], read(&stats.rendered))
            .sample(&[("result", "failure")], read(&stats.failed));
        exposition
            .family("log_controller_errors_total", Kind::Counter, "Errors reported, several per failed attempt.")
            .sample(&[], read(&stats.errors));
        exposition
            .family("log_controller_last_render_failed", Kind::Gauge, "Whether the last attempt failed.")
            .sample(&[], read(&stats.last_failed));
        exposition
            .family("log_controller_resources", Kind::Gauge, "Documents of the last input without mistakes.")
            .sample(&[("kind", "flow")], read(&stats.flows))
            .sample(&[("kind", "output")], read(&stats.outputs));
        exposition.finish()
    }

    #[test]
    fn counters_are_told() {
        let stats = Stats::default();
        stats.holds(2, 1);
        stats.rendered();
        stats.failed(3);
        let text = text(&stats);
        let samples: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
        let expected = [
            "log_controller_renders_total{result=\"success\"} 1",
            "log_controller_renders_total{result=\"failure\"} 1",
            "log_controller_errors_total 3",
            "log_controller_last_render_failed 1",
            "log_controller_resources{kind=\"flow\"} 2",
            "log_controller_resources{kind=\"output\"} 1",
        ];
        assert_eq!(samples, expected);
    }
}

#[cfg(feature = "metrics")]
pub(crate) use exposed::serve;
