//! Where calls run, and what a mistake of ours becomes: a typed error, with the process alive.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;

use registro::Error;
use tokio::runtime::{Builder, Runtime};
use tokio::task::{JoinError, JoinHandle};

use crate::error::RegistroError;

/// Threads for the network and for applying replies; writes have threads of their own.
const THREADS: usize = 2;

fn runtime() -> Result<&'static Runtime, RegistroError> {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime);
    }
    let made = Builder::new_multi_thread()
        .worker_threads(THREADS)
        .thread_name("registro")
        .enable_all()
        .build()
        .map_err(|_| Error::internal("no threads to run on"))?;
    // Of two that race, the second is dropped before anything runs on it.
    Ok(RUNTIME.get_or_init(|| made))
}

fn done<T>(joined: Result<Result<T, Error>, JoinError>) -> Result<T, RegistroError> {
    match joined {
        Ok(result) => result.map_err(RegistroError::from),
        Err(_) => Err(Error::internal("the call ended by a panic").into()),
    }
}

/// Runs what uses the network. Whoever drops the call detaches from it: it runs to its end all the same, in Kotlin
/// (where cancelling drops it) as in Swift (where cancelling reaches nothing).
pub(crate) async fn detached<T: Send + 'static>(
    task: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, RegistroError> {
    done(runtime()?.spawn(task).await)
}

/// Runs what only waits: it ends when its caller goes away.
pub(crate) async fn attached<T: Send + 'static>(
    task: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, RegistroError> {
    struct EndWithCaller<T>(JoinHandle<T>);
    impl<T> Drop for EndWithCaller<T> {
        fn drop(&mut self) {
            self.0.abort();
        }
    }
    let mut running = EndWithCaller(runtime()?.spawn(task));
    done((&mut running.0).await)
}

/// Runs what writes to the store or asks the platform's vault, on a thread that may block.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, RegistroError> {
    done(runtime()?.spawn_blocking(work).await)
}

/// Runs what only reads, on the caller's thread.
pub(crate) fn reading<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<T, RegistroError> {
    // Nothing of ours is shared half changed: the register's own locks recover, and reads change nothing.
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result.map_err(RegistroError::from),
        Err(_) => Err(Error::internal("the call ended by a panic").into()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use super::*;
    use crate::error::ErrorKind;

    fn kind<T>(result: Result<T, RegistroError>) -> Option<ErrorKind> {
        result.err().map(|RegistroError::Failed { failure }| failure.kind)
    }

    #[test]
    fn a_panic_while_reading_is_a_typed_error() {
        assert_eq!(kind(reading::<()>(|| panic!("a mistake"))), Some(ErrorKind::Internal));
    }

    #[tokio::test]
    async fn a_panic_while_writing_or_syncing_is_a_typed_error() {
        assert_eq!(kind(blocking::<()>(|| panic!("a mistake")).await), Some(ErrorKind::Internal));
        assert_eq!(kind(detached::<()>(async { panic!("a mistake") }).await), Some(ErrorKind::Internal));
    }

    #[tokio::test]
    async fn a_detached_call_runs_to_its_end() {
        let ended = Arc::new(AtomicBool::new(false));
        let (started, gate) = (Arc::new(tokio::sync::Notify::new()), Arc::new(tokio::sync::Notify::new()));
        let call = {
            let (ended, started, gate) = (ended.clone(), started.clone(), gate.clone());
            tokio::spawn(detached(async move {
                started.notify_one();
                gate.notified().await;
                ended.store(true, Ordering::SeqCst);
                Ok(())
            }))
        };
        started.notified().await;
        call.abort();
        assert!(call.await.is_err_and(|error| error.is_cancelled()));
        gate.notify_one();
        let waited = tokio::time::timeout(Duration::from_secs(10), async {
            while !ended.load(Ordering::SeqCst) {
                tokio::task::yield_now().await;
            }
        });
        assert!(waited.await.is_ok());
    }
}
