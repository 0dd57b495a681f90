//! The login's database in a backup: it comes back without anybody logged in, and never over a younger one.

#![allow(clippy::unwrap_used)] // also outside the test functions themselves

mod oauth_app;
mod sync_school;

use oauth_app::*;
use registro_hub::Level;
use registro_hub::backup::{backup_identity, identity_beside, restore_identity};
use registro_hub::identity::authorization::sessions;
use registro_hub::identity::store::{IdentityStore, identity_path};
use sync_school::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_login_knows_the_sessions_and_lets_none_of_them_in() {
    let stage = Stage::new().await;
    let app = App::new();
    let tokens = app.tokens(&stage, MOTHER, Level::L1).await;
    let waiting = app.code(&stage, MOTHER, Level::L1, &[]).await;
    let elsewhere = tempfile::tempdir().unwrap();
    let noon = elsewhere.path().join("noon.sqlite");
    backup_identity(&identity_path(stage.data.path()), &noon).unwrap();
    assert_eq!(identity_beside(&noon), elsewhere.path().join("noon.identity.sqlite"));

    let empty = tempfile::tempdir().unwrap();
    assert!(restore_identity(&noon, &identity_path(empty.path()), stage.now()).unwrap());
    let restored = IdentityStore::open(empty.path()).unwrap();
    {
        let database = restored.lock().unwrap();
        assert!(sessions::live(&database, MOTHER, stage.now()).unwrap().is_empty());
        let count = |sql: &str| database.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(count("SELECT count(*) FROM session WHERE ended IS NOT NULL"), 1);
        assert_eq!(count("SELECT (SELECT count(*) FROM refresh_token) + (SELECT count(*) FROM code)"), 0);
    }

    // Over one that is there nothing is restored: a session that was ended since stays ended, the others live.
    app.tokens(&stage, TEACHER, Level::L2).await;
    stage.identity.end_sessions(MOTHER, stage.now()).unwrap();
    assert!(!restore_identity(&noon, &identity_path(stage.data.path()), stage.now()).unwrap());
    assert_eq!(app.refresh(&stage, &tokens.refresh).await.error().0, 400);
    assert_eq!(app.exchange(&stage, &waiting, &[]).await.error().0, 400);
    assert_eq!(stage.identity.sessions_of(TEACHER, stage.now()).unwrap().len(), 1);
}

#[test]
fn a_backup_without_a_login_has_no_file_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let noon = folder.path().join("noon.sqlite");
    std::fs::write(identity_beside(&noon), "of an earlier backup").unwrap();
    backup_identity(&identity_path(folder.path()), &noon).unwrap();
    assert!(!identity_beside(&noon).exists());
    assert!(!restore_identity(&noon, &identity_path(folder.path()), 0).unwrap());
}
