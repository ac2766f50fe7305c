//! One build request: options, the body that streams, the answer.

use bollard::Docker as Api;
use bollard::grpc::BuildRef;
use bollard::models::{BuildInfo, BuildInfoAux};
use bollard::query_parameters::{BuildImageOptions, BuildImageOptionsBuilder, BuilderVersion};
use futures_util::StreamExt as _;

use super::Credentials;
use super::classic::Classic;
use super::steps::Steps;
use super::vertex::Vertexes;
use super::{body, errors, tar};
use crate::engine::{EngineError, Events, Job, Network, StepState};

/// What the daemon made: an image without a name.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) image_id: String,
    pub(super) run: u32,
    pub(super) cached: u32,
}

/// Builds, and names nothing: the caller does, once this has succeeded.
///
/// Dropping the future closes the connection of the request, which is the context of the build inside the daemon: it stops
/// the running container and forgets the rest.
pub(super) async fn build(
    api: &Api,
    job: &Job,
    buildkit: bool,
    credentials: &Credentials,
    events: &Events,
) -> Result<Made, EngineError> {
    let (stream, send_failure) = body::stream(job, events);
    let mut answer = Answer::new(job, events);
    let body = bollard::body_try_stream(stream);
    let mut stream = Box::pin(api.build_image(options(job, buildkit), credentials.for_build(), Some(body)));
    while let Some(item) = stream.next().await {
        let taken = item.and_then(|info| answer.take(info));
        if let Err(error) = taken {
            answer.classic.finish(StepState::Failed { message: errors::message(&error) }, &mut answer.steps);
            // What broke the request on our side explains more than how the daemon saw it break.
            let sending = send_failure.take();
            return Err(sending.unwrap_or_else(|| errors::build_failed(&job.image, &error, &mut answer.steps)));
        }
    }
    answer.classic.finish(StepState::Done { millis: 0 }, &mut answer.steps);
    let (run, cached) = answer.steps.counts();
    match (answer.image_id, send_failure.take()) {
        (Some(image_id), _) => Ok(Made { image_id, run, cached }),
        (None, Some(error)) => Err(error),
        (None, None) => {
            let detail = "the answer ended before the image was there".to_owned();
            Err(EngineError::TransportLost { image: job.image.clone(), detail })
        }
    }
}

fn options(job: &Job, buildkit: bool) -> BuildImageOptions {
    let mut options = BuildImageOptionsBuilder::default()
        .dockerfile(&tar::dockerfile_name(&job.context))
        .nocache(job.no_cache)
        .platform(job.platform.as_deref().unwrap_or_default())
        .rm(true)
        .forcerm(true);
    if !job.labels.is_empty() {
        options = options.labels(&job.labels.clone().into_iter().collect());
    }
    if job.network == Network::None {
        options = options.networkmode("none");
    }
    if buildkit {
        // One session per job; the type is BuildKit's random identifier, whatever its name.
        options = options.version(BuilderVersion::BuilderBuildKit).session(&String::from(BuildRef::random()));
    }
    options.build()
}

/// What has come of the answer so far.
struct Answer {
    steps: Steps,
    vertexes: Vertexes,
    classic: Classic,
    image_id: Option<String>,
}

impl Answer {
    fn new(job: &Job, events: &Events) -> Self {
        Self {
            steps: Steps::new(&job.image, events),
            vertexes: Vertexes::default(),
            classic: Classic::default(),
            image_id: None,
        }
    }

    /// Takes one message of either builder.
    fn take(&mut self, info: BuildInfo) -> Result<(), bollard::errors::Error> {
        if let Some(text) = &info.stream {
            self.classic.stream(text, &mut self.steps);
        }
        match info.aux {
            Some(BuildInfoAux::BuildKit(status)) => self.vertexes.status(&status, &mut self.steps),
            Some(BuildInfoAux::Default(id)) => self.image_id = id.id.or(self.image_id.take()),
            None => {}
        }
        match info.error_detail {
            Some(error) => Err(bollard::errors::Error::DockerStreamError { error: error.message.unwrap_or_default() }),
            None => Ok(()),
        }
    }
}
