import Foundation

/// The events of a register, one after the other.
///
/// Each event is given once: one loop per register. Screens take an ``RegistroObservation``, which shares them.
public struct RegistroEvents: AsyncSequence, Sendable {
    public typealias Element = Event

    fileprivate let register: Registro

    public func makeAsyncIterator() -> Iterator {
        Iterator(register: register)
    }

    /// Ends when its task is cancelled or `stopWaiting` is called.
    public struct Iterator: AsyncIteratorProtocol {
        fileprivate let register: Registro
        private var batch: ArraySlice<Event> = []

        fileprivate init(register: Registro) {
            self.register = register
        }

        public mutating func next() async throws -> Event? {
            if batch.isEmpty {
                if Task.isCancelled { return nil }
                batch = ArraySlice(try await register.endingWithTask { try await $0.nextEvents() })
            }
            return batch.popFirst()
        }
    }
}

extension Registro {
    /// The events of this register, one after the other.
    public var events: RegistroEvents { RegistroEvents(register: self) }
}

/// What changes in a register, for any number of screens: one per register.
///
/// ```swift
/// let observation = RegistroObservation(register)
/// for try await view in observation.screen({ try teacher.classView(classCode: "3A", date: today) }) { show(view) }
/// _ = try await observation.writing { try await teacher.callRoll(classCode: "3A", date: today, slot: 1, roll: roll) }
/// ```
public actor RegistroObservation {
    private let register: Registro
    private var screens: [UUID: AsyncStream<Void>.Continuation] = [:]
    private var listeners: [UUID: AsyncStream<Event>.Continuation] = [:]
    private var loop: Task<Void, Never>?

    public init(_ register: Registro) {
        self.register = register
    }

    deinit {
        loop?.cancel()
        screens.values.forEach { $0.finish() }
        listeners.values.forEach { $0.finish() }
    }

    /// What `read` gives: now, and again whenever the register has changed and it gives something else. A screen that
    /// is slow skips what is no longer true. What `read` throws ends the sequence: begin again after `resume`.
    public nonisolated func screen<View: Equatable & Sendable>(
        _ read: @escaping @Sendable () throws -> View
    ) -> AsyncThrowingStream<View, Error> {
        AsyncThrowingStream(bufferingPolicy: .bufferingNewest(1)) { continuation in
            let reading = Task { [weak self] in
                do {
                    guard let changes = await self?.changes() else { return continuation.finish() }
                    var last: View?
                    for await _ in changes {
                        let view = try read()
                        if view != last { continuation.yield(view) }
                        last = view
                    }
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in reading.cancel() }
        }
    }

    /// The events, for whoever listens now: messages to the person, not what a screen shows.
    public func events() -> AsyncStream<Event> {
        begin()
        let (stream, continuation) = AsyncStream.makeStream(of: Event.self, bufferingPolicy: .bufferingNewest(1_000))
        let id = UUID()
        listeners[id] = continuation
        continuation.onTermination = { [weak self] _ in Task { await self?.forgetListener(id) } }
        return stream
    }

    /// Lets every screen read again: after writing something without ``writing(_:)``, or when a new day has begun.
    public func refresh() {
        screens.values.forEach { $0.yield() }
    }

    /// Writes, and lets every screen show it.
    public nonisolated func writing<Result: Sendable>(
        _ write: @Sendable () async throws -> Result
    ) async throws -> Result {
        let result = try await write()
        await refresh()
        return result
    }

    private func changes() -> AsyncStream<Void> {
        begin()
        // Screens read everything again, so that of several changes the last one is enough.
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let id = UUID()
        screens[id] = continuation
        continuation.onTermination = { [weak self] _ in Task { await self?.forgetScreen(id) } }
        continuation.yield()
        return stream
    }

    private func begin() {
        guard loop == nil else { return }
        let register = self.register
        loop = Task { [weak self] in
            do {
                for try await event in register.events {
                    guard let self else { return }
                    await self.tell(event)
                }
            } catch {
                // Only a mistake of ours ends it; every call of the register then says so itself.
            }
        }
    }

    private func tell(_ event: Event) {
        refresh()
        listeners.values.forEach { $0.yield(event) }
    }

    private func forgetScreen(_ id: UUID) { screens[id] = nil }

    private func forgetListener(_ id: UUID) { listeners[id] = nil }
}
