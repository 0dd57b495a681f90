extension Registro {
    /// Keeps a register in step with its hub while a screen shows it: syncs, waits for news, syncs again. Without a
    /// connection it tries again after `first`, then twice as long each time, up to `longest`. Runs until its task is
    /// cancelled, and then returns.
    ///
    /// - Parameter synced: hears of each sync.
    /// - Throws: `RegistroError` when only a person can go on: a login, an update, a device to unlock.
    public func keepInStep(
        first: Duration = .seconds(5), longest: Duration = .seconds(300),
        synced: @Sendable (SyncReport) async -> Void = { _ in }
    ) async throws {
        var pause = first
        while !Task.isCancelled {
            do {
                await synced(try await sync())
                pause = first
                // Whatever ends the wait, a sync is the answer: it finds out what there is.
                _ = try await endingWithTask { try await $0.waitForNews() }
            } catch let error as RegistroError {
                if error.failure.nextStep != .retryOnline { throw error }
                try? await Task.sleep(for: pause)
                pause = min(pause * 2, longest)
            }
        }
    }
}
