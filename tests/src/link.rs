//! A network link between a device and the hub that a test can cut, and that drops, duplicates and delays.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// How a link behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    /// No connection at all.
    Down,
    /// Everything arrives.
    Clear,
    /// Requests and replies are dropped, duplicated and delayed.
    Stormy,
    /// Requests reach the hub, replies never come back.
    NoReply,
}

#[derive(Debug)]
struct State {
    weather: Weather,
    hub: SocketAddr,
    random: ChaCha12Rng,
    dropped: u32,
    duplicated: u32,
    carried: u64,
}

/// A link: an address of its own, through which one device reaches the hub.
#[derive(Debug, Clone)]
pub struct Link {
    /// The address that the device uses.
    pub url: String,
    state: Arc<Mutex<State>>,
    swallowed: Arc<tokio::sync::Mutex<mpsc::UnboundedReceiver<()>>>,
}

/// Largest message that the link carries.
const MAX_MESSAGE: usize = 32 * 1024 * 1024;

impl Link {
    /// A clear link to the hub; its faults follow the seed.
    pub async fn to(hub: SocketAddr, seed: u64) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let random = ChaCha12Rng::seed_from_u64(seed);
        let state = State { weather: Weather::Clear, hub, random, dropped: 0, duplicated: 0, carried: 0 };
        let state = Arc::new(Mutex::new(state));
        let (tell, swallowed) = mpsc::unbounded_channel();
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // What goes wrong here is the weather.
                tokio::spawn(carry(stream, Arc::clone(&shared), tell.clone()));
            }
        });
        Ok(Self { url, state, swallowed: Arc::new(tokio::sync::Mutex::new(swallowed)) })
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the weather.
    pub fn set(&self, weather: Weather) {
        self.state().weather = weather;
    }

    /// The hub has moved (it was started again).
    pub fn moved(&self, hub: SocketAddr) {
        self.state().hub = hub;
    }

    /// Messages dropped and duplicated so far.
    pub fn faults(&self) -> (u32, u32) {
        let state = self.state();
        (state.dropped, state.duplicated)
    }

    /// Bytes of the bodies that went through so far, both ways.
    pub fn carried(&self) -> u64 {
        self.state().carried
    }

    /// Waits until a reply of the hub was swallowed.
    pub async fn reply_swallowed(&self) {
        self.swallowed.lock().await.recv().await;
    }
}

struct Fate {
    hub: SocketAddr,
    weather: Weather,
    drop_request: bool,
    drop_reply: bool,
    twice: bool,
    delay: Duration,
}

fn fate(state: &Mutex<State>) -> Fate {
    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
    let stormy = state.weather == Weather::Stormy;
    let mut chance = |percent: u32| stormy && state.random.random_range(0..100) < percent;
    let (drop_request, drop_reply, twice) = (chance(30), chance(30), chance(40));
    let delay = if stormy { Duration::from_millis(state.random.random_range(0..30)) } else { Duration::ZERO };
    state.dropped += u32::from(drop_request || drop_reply);
    state.duplicated += u32::from(twice && !drop_request);
    Fate { hub: state.hub, weather: state.weather, drop_request, drop_reply, twice, delay }
}

async fn carry(
    mut device: TcpStream,
    state: Arc<Mutex<State>>,
    tell: mpsc::UnboundedSender<()>,
) -> std::io::Result<()> {
    let fate = fate(&state);
    if fate.weather == Weather::Down {
        return Ok(());
    }
    let request = read_message(&mut device).await?;
    tokio::time::sleep(fate.delay).await;
    if fate.drop_request {
        return Ok(());
    }
    let mut reply = ask(fate.hub, &request).await?;
    if fate.twice {
        let again = ask(fate.hub, &request).await?;
        // A proof of who calls is good once: the hub does not take a copy of it.
        if !again.starts_with(b"HTTP/1.1 401") {
            reply = again;
        }
    }
    let bodies = body_length(&request) + body_length(&reply);
    state.lock().unwrap_or_else(PoisonError::into_inner).carried += bodies;
    match (fate.weather, fate.drop_reply) {
        (Weather::NoReply, _) => {
            // The device waits; it will be ended before an answer comes.
            let _ = tell.send(());
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
        (_, true) => {}
        _ => device.write_all(&reply).await?,
    }
    device.shutdown().await
}

async fn ask(hub: SocketAddr, request: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(hub).await?;
    stream.write_all(request).await?;
    read_message(&mut stream).await
}

/// Reads one HTTP message with `Content-Length` (or without body) and asks for the connection to end after it.
async fn read_message(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let invalid = || std::io::Error::from(std::io::ErrorKind::InvalidData);
    let mut bytes = Vec::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).to_lowercase();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length:"))
                .map_or(Ok(0), |value| value.trim().parse::<usize>().map_err(|_| invalid()))?;
            if bytes.len() >= end + 4 + length {
                return Ok(one_shot(bytes, end));
            }
        }
        let read = stream.read(&mut buffer).await?;
        if read == 0 || bytes.len() > MAX_MESSAGE {
            return Err(invalid());
        }
        bytes.extend_from_slice(buffer.get(..read).unwrap_or_default());
    }
}

fn body_length(message: &[u8]) -> u64 {
    let head = message.windows(4).position(|window| window == b"\r\n\r\n");
    head.map_or(0, |end| message.len().saturating_sub(end + 4) as u64)
}

fn one_shot(mut bytes: Vec<u8>, head_end: usize) -> Vec<u8> {
    let rest = bytes.split_off(head_end);
    bytes.extend_from_slice(b"\r\nconnection: close");
    bytes.extend_from_slice(&rest);
    bytes
}
