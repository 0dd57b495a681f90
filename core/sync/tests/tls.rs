//! Who is not the server is not talked to, and why not is told apart. Real handshakes on loopback, with certificates
//! made by the test.
#![cfg(feature = "http")]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, PublicKeyData, date_time_ymd,
};
use registro_sync::http::{Method, Outgoing, Pins, Transport, TransportError, TransportOptions, Untrusted};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// Who vouches for certificates.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: Vec<u8>,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap().der().to_vec();
        Self { issuer: Issuer::new(params, key), certificate }
    }

    /// A server with a certificate for these names, changed a little. Gives its address and its pin.
    fn server(&self, names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> (String, [u8; 32]) {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let pin = Pins::pin(&key.subject_public_key_info());
        (serve(certificate.der().to_vec(), key.serialize_der()), pin)
    }
}

/// Answers every request with the same few bytes.
fn serve(certificate: Vec<u8>, key: Vec<u8>) -> String {
    let provider = rustls::crypto::ring::default_provider().into();
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from(certificate)],
            PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key)),
        )
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("https://127.0.0.1:{}/", listener.local_addr().unwrap().port());
    std::thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            let mut socket = socket;
            let mut connection = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = rustls::Stream::new(&mut connection, &mut socket);
            // A client that does not trust us hangs up here.
            if stream.read(&mut [0; 4_096]).is_ok() {
                let _ = stream
                    .write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\nhello");
                connection.send_close_notify();
                let _ = connection.complete_io(&mut socket);
            }
        }
    });
    address
}

/// A server that speaks TLS 1.1 and nothing later.
fn serve_old_tls() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("https://127.0.0.1:{}/", listener.local_addr().unwrap().port());
    std::thread::spawn(move || {
        for mut socket in listener.incoming().flatten() {
            let _ = socket.read(&mut [0; 4_096]);
            // ServerHello (RFC 4346 §7.4.1.3): version 3.2, no session, one of the suites of that time.
            let hello = [&[2, 0, 0, 38, 3, 2][..], &[7; 32], &[0, 0xc0, 0x13, 0]].concat();
            let record = [&[22, 3, 2, 0, u8::try_from(hello.len()).unwrap()][..], &hello].concat();
            let _ = socket.write_all(&record);
            let _ = socket.read(&mut [0; 64]);
        }
    });
    address
}

async fn get(url: &str, roots: &[&Authority], pins: Option<Pins>) -> Result<Vec<u8>, TransportError> {
    let options = TransportOptions {
        extra_roots: roots.iter().map(|authority| authority.certificate.clone()).collect(),
        pins,
        timeout: Duration::from_secs(5),
        ..TransportOptions::default()
    };
    let outgoing = Outgoing {
        method: Method::Get,
        url: url.to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
        limit: 100,
    };
    Transport::new(options)?.send(outgoing).await.map(|incoming| incoming.body)
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

#[tokio::test]
async fn a_server_that_somebody_known_vouches_for_is_talked_to() {
    let authority = Authority::new("one");
    let (url, _) = authority.server(&["127.0.0.1"], |_| {});
    assert_eq!(get(&url, &[&authority], None).await, Ok(b"hello".to_vec()));
}

#[tokio::test]
async fn who_is_not_the_server_is_told_apart() {
    let (authority, other) = (Authority::new("one"), Authority::new("other"));
    let untrusted = |why| Err(TransportError::Untrusted(why));
    let (unknown, _) = other.server(&["127.0.0.1"], |_| {});
    assert_eq!(get(&unknown, &[&authority], None).await, untrusted(Untrusted::Issuer));
    let (unknown, _) = authority.server(&["127.0.0.1"], |_| {});
    assert_eq!(get(&unknown, &[], None).await, untrusted(Untrusted::Issuer), "the web's roots alone");
    let (elsewhere, _) = authority.server(&["registro.example.it"], |_| {});
    assert_eq!(get(&elsewhere, &[&authority], None).await, untrusted(Untrusted::Host));
    let (expired, _) =
        authority.server(&["127.0.0.1"], |params| params.not_after = date_time_ymd(2020, 1, 1));
    assert_eq!(get(&expired, &[&authority], None).await, Err(TransportError::WrongClock));
    let (early, _) = authority.server(&["127.0.0.1"], |params| params.not_before = date_time_ymd(2090, 1, 1));
    assert_eq!(get(&early, &[&authority], None).await, Err(TransportError::WrongClock));
    assert_eq!(get(&serve_old_tls(), &[&authority], None).await, untrusted(Untrusted::Protocol));
}

#[tokio::test]
async fn plain_http_is_not_spoken_to_a_server_that_has_no_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    assert_eq!(get(&format!("http://127.0.0.1:{port}/"), &[], None).await, Err(TransportError::Address));
}

#[tokio::test]
async fn a_pinned_server_is_the_only_one_that_is_talked_to_until_the_pins_end() {
    let authority = Authority::new("one");
    let (url, pin) = authority.server(&["127.0.0.1"], |_| {});
    let (stranger, backup) = ([1; 32], [2; 32]);
    let later = now() + 3_600;
    let pins = |primary, backup: [u8; 32], until| Pins::new(primary, &[backup], until);
    let hello = Ok(b"hello".to_vec());
    assert_eq!(get(&url, &[&authority], pins(pin, backup, later)).await, hello, "the one in use");
    assert_eq!(get(&url, &[&authority], pins(stranger, pin, later)).await, hello, "the backup");
    let refused = Err(TransportError::Untrusted(Untrusted::Pin));
    assert_eq!(get(&url, &[&authority], pins(stranger, backup, later)).await, refused, "neither");
    assert_eq!(get(&url, &[&authority], pins(stranger, backup, now() - 1)).await, hello, "pins that ended");
    // A pin vouches for nobody: whoever has the key still needs a certificate.
    let (unknown, pin) = Authority::new("unknown").server(&["127.0.0.1"], |_| {});
    let refused = Err(TransportError::Untrusted(Untrusted::Issuer));
    assert_eq!(get(&unknown, &[&authority], pins(pin, backup, later)).await, refused);
}

#[tokio::test]
async fn answers_have_a_limit() {
    let authority = Authority::new("one");
    let (url, _) = authority.server(&["127.0.0.1"], |_| {});
    let options =
        TransportOptions { extra_roots: vec![authority.certificate], ..TransportOptions::default() };
    let outgoing = Outgoing { method: Method::Get, url, headers: Vec::new(), body: Vec::new(), limit: 4 };
    let answer = Transport::new(options).unwrap().send(outgoing).await;
    assert_eq!(answer.map(|incoming| incoming.body), Err(TransportError::TooLarge));
}
