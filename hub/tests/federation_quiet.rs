//! What the hub writes into its own log, at the loudest, during logins: nothing of a person, and no secret.

#![allow(clippy::unwrap_used)] // also outside the test functions themselves

mod federation_hub;
mod federation_world;
mod sync_school;

use std::io::Write;
use std::sync::{Arc, Mutex};

use federation_hub::*;
use registro_hub::Level;

#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<u8>>>);

impl Write for Heard {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hubs_own_log_shows_nobody_and_no_secret() {
    let heard = Heard::default();
    let writer = heard.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .init();
    let world = World::spid().await;
    assert_eq!(world.log_in().await, "/login/done");
    let answer = format!(r#"{{"error":"invalid_grant","error_description":"{KNOWN}"}}"#);
    world.fake.be(Mood { tokens: Some(Box::new(move |_| (400, answer.clone()))), ..Mood::default() });
    assert_eq!(world.log_in().await, "failed: unsafe");
    let login = world.begin(Level::L2).await;
    let parameters = [("state", login.state.as_str()), ("error", "a-word-of-the-provider")];
    assert_eq!(world.back(Some(&login.cookie), &parameters).await, "failed: misconfigured");
    world.stop().await;
    let text = String::from_utf8(heard.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("a login at a provider failed"), "something was heard");
    let assertion = "client_assertion";
    for canary in
        [KNOWN, ACCESS_TOKEN, "pairwise", &login.state, &login.cookie, assertion, "a-word-of-the-provider"]
    {
        assert!(!text.contains(canary), "{canary}");
    }
}
