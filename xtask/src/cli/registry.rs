//! The registry client, as settings and the environment want it.

use super::session::{Loaded, Session};
use super::status::Stop;
use crate::engine::registry::{Proxy, Registry, RegistryOptions, Retry};
use crate::oci::Reference;
use crate::workspace::{self, accounts};

/// As [`client`], for a question that somebody waits for: what does not answer is not asked again and again.
pub(super) fn impatient_client<'r>(
    session: &Session<'_>,
    loaded: Option<&Loaded>,
    references: impl IntoIterator<Item = &'r Reference>,
) -> Result<Registry, Stop> {
    let options = options(session, loaded, references)?;
    Ok(Registry::new(RegistryOptions { retry: Retry { attempts: 2, ..options.retry }, ..options }))
}

/// A client that knows the accounts for some references.
pub(super) fn client<'r>(
    session: &Session<'_>,
    loaded: Option<&Loaded>,
    references: impl IntoIterator<Item = &'r Reference>,
) -> Result<Registry, Stop> {
    options(session, loaded, references).map(Registry::new)
}

fn options<'r>(
    session: &Session<'_>,
    loaded: Option<&Loaded>,
    references: impl IntoIterator<Item = &'r Reference>,
) -> Result<RegistryOptions, Stop> {
    let variable = |names: [&str; 2]| {
        names
            .iter()
            .filter_map(|name| session.environment.get(name))
            .find(|value| !value.trim().is_empty())
            .map(str::to_owned)
    };
    let proxy = Proxy {
        https: variable(["HTTPS_PROXY", "https_proxy"]).or_else(|| variable(["ALL_PROXY", "all_proxy"])),
        http: variable(["http_proxy", "HTTP_PROXY"]),
        none: variable(["NO_PROXY", "no_proxy"]),
    };
    let offline = session.global.offline;
    let mut options = RegistryOptions { accounts: accounts(references), offline, proxy, ..RegistryOptions::default() };
    let mut files = Vec::new();
    if let Some(loaded) = loaded {
        let settings = &loaded.manifests.settings.registries;
        options.plain_http = settings.plain_http.iter().map(|host| host.value.clone()).collect();
        files.extend(settings.authorities.iter().map(|path| loaded.workspace.root.join(path.value.as_path())));
    }
    for file in files {
        let bytes = workspace::read_file(&file);
        options
            .authorities
            .push(bytes.map_err(|error| Stop::input(anyhow::anyhow!("the certificates of registries: {error}")))?);
    }
    Ok(options)
}
