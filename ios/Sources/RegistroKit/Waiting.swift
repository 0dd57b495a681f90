import Foundation

extension Registro {
    /// A call that waits in the library, and ends when its task is cancelled: cancelling reaches nothing there by itself.
    func endingWithTask<Result: Sendable>(
        _ wait: @Sendable (Registro) async throws -> Result
    ) async throws -> Result {
        let waiting = Waiting()
        return try await withTaskCancellationHandler {
            defer { waiting.end() }
            return try await wait(self)
        } onCancel: {
            Task.detached {
                // `stopWaiting` does not reach a wait that is only about to begin.
                while !waiting.hasEnded {
                    self.stopWaiting()
                    try? await Task.sleep(for: .milliseconds(20))
                }
            }
        }
    }
}

/// Whether one call still waits.
private final class Waiting: @unchecked Sendable {
    private let lock = NSLock()
    private var ended = false

    var hasEnded: Bool { lock.withLock { ended } }

    func end() { lock.withLock { ended = true } }
}
