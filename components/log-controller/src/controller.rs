//! From the directory to the file, once or again and again.

use std::process::ExitCode;
use std::sync::Arc;

use program_output::exit_code;

use crate::input;
use crate::log;
use crate::options::{Options, Watch};
use crate::output::{self, Written};
use crate::pipeline;
use crate::render;
use crate::stats::Stats;
use crate::watch;

/// Does what the options ask for.
pub(crate) fn run(options: &Options) -> ExitCode {
    let stats = Arc::new(Stats::default());
    match &options.watch {
        None if reconcile(options, &stats) => ExitCode::SUCCESS,
        None => ExitCode::FAILURE,
        Some(watch) => exit_code(crate::NAME, serve_and_watch(options, watch, &stats)),
    }
}

#[cfg(feature = "metrics")]
fn serve_and_watch(options: &Options, watch: &Watch, stats: &Arc<Stats>) -> Result<(), String> {
    let endpoint = match &watch.metrics_address {
        Some(address) => Some(crate::stats::serve(address, stats)?),
        None => None,
    };
    let result = follow(options, watch, stats);
    drop(endpoint);
    result
}

#[cfg(not(feature = "metrics"))]
fn serve_and_watch(options: &Options, watch: &Watch, stats: &Arc<Stats>) -> Result<(), String> {
    follow(options, watch, stats)
}

fn follow(options: &Options, watch: &Watch, stats: &Stats) -> Result<(), String> {
    watch::run(&options.config, watch.debounce, || {
        reconcile(options, stats);
    })
}

/// Renders once, logs the outcome, and tells whether the output is up to date now.
fn reconcile(options: &Options, stats: &Stats) -> bool {
    match try_reconcile(options, stats) {
        Ok(message) => {
            stats.rendered();
            log(message);
            true
        }
        Err(errors) => {
            stats.failed(errors.len());
            errors.iter().for_each(|error| log(format_args!("error: {error}")));
            log(format_args!("errors found: {}; {} stays as it was", errors.len(), options.output.display()));
            false
        }
    }
}

fn try_reconcile(options: &Options, stats: &Stats) -> Result<String, Vec<String>> {
    let Options { config, output, .. } = options;
    let (documents, mut problems) = input::read(config).map_err(|error| {
        let hint = "hint: mount the documents there, or correct --config";
        vec![format!("failed to read {}: {error}\n  {hint}", config.display())]
    })?;
    let (pipeline, loose_ends) = pipeline::join(documents);
    problems.extend(loose_ends);
    if !problems.is_empty() {
        problems.sort();
        return Err(problems.iter().map(ToString::to_string).collect());
    }
    stats.holds(pipeline.flows.len(), pipeline.outputs.len());
    let written = output::write(output, &render::render(&pipeline))
        .map_err(|error| vec![format!("failed to write {}: {error}", output.display())])?;
    let what = match written {
        Written::New => "written",
        Written::Unchanged => "unchanged",
    };
    let (flows, outputs) = (pipeline.flows.len(), pipeline.outputs.len());
    Ok(format!("{} is {what}: {flows} flows, {outputs} outputs", output.display()))
}
