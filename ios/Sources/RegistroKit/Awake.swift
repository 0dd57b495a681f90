/// Keeps a register resumed while somebody needs it, and suspended while nobody does: a scene in the foreground, a sync
/// in the background. One per register; suspending and resuming go through it alone.
///
/// iOS ends an app that is suspended while a store is open: release it inside a background task
/// (`UIApplication.beginBackgroundTask`, `ProcessInfo.performExpiringActivity`), 5 seconds at most.
public actor Awake {
    /// Starts as it was opened: resumed, and held by nobody.
    public nonisolated let register: Registro
    private var holders = 0
    private var last: Task<Void, Never>?

    public init(_ register: Registro) {
        self.register = register
    }

    /// Resumes the register for one more who needs it. Each `hold` has its ``release()``. Cancelling it changes
    /// nothing. Throws as `resume` does; then nothing is held.
    public func hold() async throws {
        try await inTurn { awake in
            // Harmless when it is resumed already.
            try await awake.register.resume()
            awake.holders += 1
        }
    }

    /// One less needs it; the last one suspends it. More releases than holds do nothing. Throws as `suspend` does; it
    /// is suspended all the same.
    public func release() async throws {
        try await inTurn { awake in
            if awake.holders == 0 { return }
            awake.holders -= 1
            if awake.holders == 0 { try await awake.register.suspend() }
        }
    }

    /// Does something with the register resumed, and lets go of it however that ends.
    public nonisolated func whileNeeded<Result: Sendable>(
        _ work: @Sendable (Registro) async throws -> Result
    ) async throws -> Result {
        try await hold()
        let result: Result
        do {
            result = try await work(register)
        } catch {
            // What went wrong first is what its caller hears of.
            try? await release()
            throw error
        }
        try await release()
        return result
    }

    /// One after the other, in the order of the calls: a suspend that overtakes a resume would leave a screen without
    /// its register.
    private func inTurn(_ work: @escaping @Sendable (isolated Awake) async throws -> Void) async throws {
        let before = last
        let turn = Task {
            await before?.value
            try await work(self)
        }
        last = Task { _ = await turn.result }
        try await turn.value
    }
}
