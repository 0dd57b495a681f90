//! A hub that is busy is asked again when it says, and not for ever.
#![cfg(feature = "http")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use registro_sync::http::{BearerToken, HttpError, HubClient};
use registro_sync::{Reply, Request, wire};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A hub that is busy so many times before it answers; its address, and how often it was asked.
async fn hub(busy: usize, retry_after: u64) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port of its own");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let mut request = [0; 4_096];
            let read = connection.read(&mut request).await.unwrap_or(0);
            assert!(read > 0, "a request");
            let answer = if count.fetch_add(1, Ordering::SeqCst) < busy {
                let head = "HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0";
                format!("{head}\r\nretry-after: {retry_after}\r\n\r\n").into_bytes()
            } else {
                let body = wire::pack(&Reply { time: 7, ..Reply::default() });
                let head =
                    format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
                [head.into_bytes(), body].concat()
            };
            connection.write_all(&answer).await.expect("an answer");
        }
    });
    (address, asked)
}

async fn sync(address: &str) -> Result<Reply, HttpError> {
    HubClient::for_development(address)?
        .sync(&BearerToken::new("token".to_owned()), &Request::default())
        .await
}

#[tokio::test]
async fn a_hub_that_is_busy_for_a_moment_is_asked_again() {
    let (address, asked) = hub(1, 0).await;
    assert_eq!(sync(&address).await.map(|reply| reply.time), Ok(7));
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_hub_that_stays_busy_is_left_alone() {
    let (address, asked) = hub(usize::MAX, 0).await;
    assert_eq!(sync(&address).await, Err(HttpError::Busy(0)));
    assert_eq!(asked.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn who_is_told_to_wait_long_is_told_so() {
    let (address, asked) = hub(usize::MAX, 3_600).await;
    assert_eq!(sync(&address).await, Err(HttpError::Busy(3_600)));
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}
