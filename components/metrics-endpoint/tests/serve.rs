//! The server over a real socket.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};

use metrics_endpoint::{CONTENT_TYPE, Endpoint};

fn exchange(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("the endpoint accepts");
    stream.write_all(request.as_bytes()).expect("the request is sent");
    let mut response = String::new();
    stream.read_to_string(&mut response).expect("the response is text");
    response
}

fn get(address: SocketAddr, path: &str) -> String {
    exchange(address, &format!("GET {path} HTTP/1.1\r\nHost: test\r\n\r\n"))
}

#[test]
fn metrics_and_health_are_answered() {
    let endpoint = Endpoint::start("127.0.0.1:0", || "up 1\n".to_owned()).expect("a free port");
    let metrics = get(endpoint.address(), "/metrics");
    assert!(metrics.starts_with("HTTP/1.1 200 OK\r\n"), "{metrics}");
    assert!(metrics.contains(&format!("Content-Type: {CONTENT_TYPE}\r\n")), "{metrics}");
    assert!(metrics.ends_with("Content-Length: 5\r\nConnection: close\r\n\r\nup 1\n"), "{metrics}");
    assert!(get(endpoint.address(), "/healthz").ends_with("\r\n\r\nok\n"));
    assert!(get(endpoint.address(), "/").starts_with("HTTP/1.1 404 "));
    assert!(
        exchange(endpoint.address(), "HEAD /metrics HTTP/1.1\r\n\r\n")
            .ends_with("Content-Length: 5\r\nConnection: close\r\n\r\n")
    );
}

#[test]
fn a_slow_client_delays_nobody() {
    let endpoint = Endpoint::start("127.0.0.1:0", || "up 1\n".to_owned()).expect("a free port");
    let mut slow = TcpStream::connect(endpoint.address()).expect("the endpoint accepts");
    slow.write_all(b"GET /met").expect("half a request is sent");
    assert!(get(endpoint.address(), "/metrics").ends_with("up 1\n"));
}

#[test]
fn stopping_frees_the_port() {
    for address in ["127.0.0.1:0", ":0"] {
        let endpoint = Endpoint::start(address, String::new).expect("a free port");
        let bound = endpoint.address();
        endpoint.stop();
        TcpListener::bind(bound).expect("the port is free again");
    }
}

#[test]
fn an_address_that_cannot_be_used_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let taken = listener.local_addr().expect("it is bound").to_string();
    for address in ["nonsense", "127.0.0.1", "127.0.0.1:99999", &taken] {
        let error = Endpoint::start(address, String::new).expect_err("no usable address").to_string();
        assert!(error.contains(&format!("{address:?}")) && error.contains("HOST:PORT"), "{error}");
    }
}
