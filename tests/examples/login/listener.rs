//! Waits on loopback for the browser to come back (RFC 8252 §7.3). Other addresses get 404, and it goes on waiting:
//! browsers ask for icons, and open connections on which they say nothing.

use std::io::{Error, Result};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

const PATH: &str = "/callback";
/// Longest head of a request; the code is in its first line.
const MAX_HEAD: usize = 48 * 1024;
/// How long a connection may say nothing.
const PATIENCE: Duration = Duration::from_secs(30);
const PAGE: &str = "<!doctype html><html lang=\"it\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
                    content=\"width=device-width\"><title>Registro</title><body style=\"font:1.2rem/1.5 sans-serif;\
                    max-width:30rem;margin:4rem auto;padding:0 1rem\"><p>Fatto: puoi chiudere questa pagina e tornare \
                    al programma.</p><p lang=\"en\">Done: you can close this page and go back to the program.</p>";

pub struct Listener {
    port: u16,
    callbacks: mpsc::Receiver<String>,
}

impl Listener {
    /// Listens on a free port of this very device.
    pub async fn start() -> Result<Self> {
        let socket = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = socket.local_addr()?.port();
        let (sender, callbacks) = mpsc::channel(8);
        tokio::spawn(async move {
            while let Ok((connection, _)) = socket.accept().await {
                let sender = sender.clone();
                tokio::spawn(async move {
                    // A connection that breaks off is the browser's business: it comes back on another.
                    let _ = tokio::time::timeout(PATIENCE, serve(connection, port, &sender)).await;
                });
            }
        });
        Ok(Self { port, callbacks })
    }

    /// The address to come back to.
    pub fn redirect(&self) -> String {
        format!("http://127.0.0.1:{}{PATH}", self.port)
    }

    /// Waits until the browser comes back. Gives the whole address.
    pub async fn callback(&mut self) -> Result<String> {
        self.callbacks.recv().await.ok_or_else(|| Error::other("nobody listens any more"))
    }
}

async fn serve(mut connection: TcpStream, port: u16, sender: &mpsc::Sender<String>) -> Result<()> {
    let mut head = Vec::new();
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        let mut chunk = [0; 4_096];
        let length = connection.read(&mut chunk).await?;
        head.extend_from_slice(chunk.get(..length).unwrap_or_default());
        if length == 0 || head.len() > MAX_HEAD {
            return answer(&mut connection, "400 Bad Request", "").await;
        }
    }
    let text = String::from_utf8_lossy(&head);
    let mut words = text.lines().next().unwrap_or_default().split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    if target.split('?').next() != Some(PATH) {
        return answer(&mut connection, "404 Not Found", "").await;
    }
    if method != "GET" {
        return answer(&mut connection, "405 Method Not Allowed", "").await;
    }
    answer(&mut connection, "200 OK", PAGE).await?;
    // Only one is waited for: what comes after it has nowhere to go.
    let _ = sender.try_send(format!("http://127.0.0.1:{port}{target}"));
    Ok(())
}

async fn answer(connection: &mut TcpStream, status: &str, page: &str) -> Result<()> {
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {}\r\ncache-control: no-store\
         \r\nreferrer-policy: no-referrer\r\nconnection: close\r\n\r\n",
        page.len()
    );
    connection.write_all(head.as_bytes()).await?;
    connection.write_all(page.as_bytes()).await?;
    connection.shutdown().await
}
