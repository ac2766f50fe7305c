//! The provider of TLS's cryptography, for daemons and registries alike.

/// Installs the provider. bollard and reqwest panic where they need one and find none: for a daemon behind TLS, for every
/// registry, and inside a BuildKit session when the daemon asks us to fetch a registry's token. It costs microseconds; a
/// second time is refused, harmlessly.
#[cfg(feature = "tls")]
pub(super) fn install() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}
