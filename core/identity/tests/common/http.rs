//! HTTP as small as it can be: one request a connection, and any bytes for an answer.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub struct Request {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn form(&self, name: &str) -> Option<String> {
        let mut pairs = url::form_urlencoded::parse(self.body.as_bytes());
        pairs.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
    }
}

#[derive(Clone)]
pub enum Reply {
    Answer {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: Vec<u8>,
    },
    /// Begins an answer and never ends it.
    Stall,
    /// Sends more and more.
    Endless,
}

impl Reply {
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::typed(status, "application/json", body.to_string())
    }

    pub fn typed(status: u16, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::Answer { status, headers: vec![("content-type", kind.to_owned())], body: body.into() }
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name, value.into()));
        }
        self
    }
}

/// Serves on loopback until the test's runtime ends. Gives the address.
pub async fn serve<F, R>(answer: F) -> String
where
    F: Fn(Request) -> R + Send + Sync + 'static,
    R: Future<Output = Reply> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port of its own");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let answer = Arc::new(answer);
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let answer = Arc::clone(&answer);
            tokio::spawn(async move {
                let Some(request) = read(&mut connection).await else { return };
                let reply = answer(request).await;
                // Who hangs up in the middle of an answer has seen enough.
                let _ = write(&mut connection, reply).await;
            });
        }
    });
    address
}

async fn read(connection: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let head = loop {
        let mut chunk = [0; 8_192];
        let length = connection.read(&mut chunk).await.ok().filter(|length| *length > 0)?;
        bytes.extend_from_slice(&chunk[..length]);
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
    };
    let text = String::from_utf8(bytes[..head].to_vec()).ok()?;
    let mut lines = text.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length: usize = length.and_then(|(_, value)| value.parse().ok()).unwrap_or(0);
    let mut body = bytes.split_off(head + 4);
    while body.len() < length {
        let mut chunk = [0; 8_192];
        let read = connection.read(&mut chunk).await.ok().filter(|read| *read > 0)?;
        body.extend_from_slice(&chunk[..read]);
    }
    Some(Request { method, path, headers, body: String::from_utf8(body).ok()? })
}

async fn write(connection: &mut TcpStream, reply: Reply) -> std::io::Result<()> {
    let start = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: application/json\r\n\r\n{\"";
    match reply {
        Reply::Answer { status, headers, body } => {
            let mut head = format!("HTTP/1.1 {status} Answer\r\nconnection: close\r\n");
            for (name, value) in headers {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
            head.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
            connection.write_all(head.as_bytes()).await?;
            connection.write_all(&body).await
        }
        Reply::Stall => {
            connection.write_all(start.as_bytes()).await?;
            tokio::time::sleep(Duration::from_secs(20)).await;
            Ok(())
        }
        Reply::Endless => {
            connection.write_all(start.as_bytes()).await?;
            loop {
                connection.write_all(&[b'x'; 65_536]).await?;
            }
        }
    }
}
