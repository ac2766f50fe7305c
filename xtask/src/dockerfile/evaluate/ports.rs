//! Ports of `EXPOSE`, as Docker's `nat` package reads them.

use super::facts::Ports;

/// `80`, `80/udp`, `90-92/tcp`; what stands before a `:` is a port of the host and means nothing here.
///
/// # Errors
/// What is wrong with it.
pub(super) fn read(text: &str) -> Result<Ports, &'static str> {
    let (ports, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let protocol = if protocol.is_empty() { "tcp".to_owned() } else { protocol.to_ascii_lowercase() };
    if !["tcp", "udp", "sctp"].contains(&protocol.as_str()) {
        return Err("is no protocol: tcp, udp and sctp are");
    }
    let ports = ports.rsplit(':').next().unwrap_or(ports);
    let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
    let port = |text: &str| text.parse::<u16>().map_err(|_| "is no port");
    let (first, last) = (port(first)?, port(last)?);
    if last < first {
        return Err("ends before it begins");
    }
    Ok(Ports::Known { first, last, protocol })
}
