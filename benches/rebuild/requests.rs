//! One build request per image: what a script does that has the Docker API and neither buildx nor us. Each image is one tar
//! with its Dockerfile and the files that it copies; four are on their way at a time.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use bollard::Docker;
use bollard::grpc::BuildRef;
use bollard::query_parameters::{BuildImageOptionsBuilder, BuilderVersion};
use futures_util::StreamExt as _;

use crate::builders::Cost;
use crate::monorepo::Monorepo;

const AT_ONCE: usize = 4;

pub fn build(monorepo: &Monorepo) -> Cost {
    let (next, context) = (AtomicUsize::new(0), AtomicU64::new(0));
    let work = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let images = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
        for image in images.take_while(|image| *image < monorepo.size.images) {
            let tar = tar(monorepo, image);
            context.fetch_add(tar.len() as u64, Ordering::Relaxed);
            runtime.block_on(request(monorepo, image, tar));
        }
    };
    let begin = Instant::now();
    std::thread::scope(|scope| (0..AT_ONCE).for_each(|_| _ = scope.spawn(work)));
    Cost { time: begin.elapsed(), context: context.into_inner() }
}

fn tar(monorepo: &Monorepo, image: usize) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    let mut add = |path: &str| tar.append_path_with_name(monorepo.root.join(path), path).unwrap();
    add(&format!("bake/{}.Dockerfile", Monorepo::image_name(image)));
    for part in monorepo.size.parts(image) {
        let folder = format!("components/{}", Monorepo::component_name(part));
        add(&format!("{folder}/app"));
        add(&format!("{folder}/app.conf"));
    }
    tar.into_inner().unwrap()
}

async fn request(monorepo: &Monorepo, image: usize, tar: Vec<u8>) {
    let docker = Docker::connect_with_defaults().unwrap().with_timeout(std::time::Duration::from_secs(3600));
    let name = Monorepo::image_name(image);
    let options = BuildImageOptionsBuilder::default()
        .dockerfile(&format!("bake/{name}.Dockerfile"))
        .t(&format!("{}/{name}:2.{image}.0", monorepo.registry("requests")))
        .version(BuilderVersion::BuilderBuildKit)
        .session(&String::from(BuildRef::random()))
        .build();
    let mut answer = Box::pin(docker.build_image(options, None, Some(bollard::body_full(tar.into()))));
    while let Some(message) = answer.next().await {
        let message = message.unwrap();
        assert!(message.error_detail.is_none(), "{:?}", message.error_detail);
    }
}
