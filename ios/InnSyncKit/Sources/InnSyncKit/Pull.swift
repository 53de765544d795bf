/// Some items of a stream, in order, and what to acknowledge them by.
struct Batch<Element: Sendable>: Sendable {
    let number: UInt64
    let items: [Element]
}

/// A consumer's end of one of the core's streams.
///
/// The core gives what follows the batch that was acknowledged, again and again, until that is acknowledged too. So a
/// consumer that is cancelled loses nothing: whoever asks next gets the same batch. A call into the core cannot be cancelled
/// from Swift; it is left waiting then, and the next consumer waits for the same call. The core's stream is stopped when
/// nobody has this object any more.
final class Pull<Element: Sendable>: Sendable {
    typealias Ask = @Sendable (_ acknowledged: UInt64) async throws -> Batch<Element>?
    private typealias Continuation = CheckedContinuation<Batch<Element>?, any Error>

    private struct State {
        var acknowledged: UInt64 = 0
        var isAsking = false
        var tickets: UInt64 = 0
        var waiter: (ticket: UInt64, continuation: Continuation)?
    }

    private let state = Locked(State())
    private let ask: Ask
    private let stop: @Sendable () -> Void

    init(ask: @escaping Ask, stop: @escaping @Sendable () -> Void) {
        self.ask = ask
        self.stop = stop
    }

    deinit {
        stop()
    }

    /// The items up to that batch were taken over: they do not come again.
    func acknowledge(_ number: UInt64) {
        state.with { $0.acknowledged = max($0.acknowledged, number) }
    }

    /// What follows what was acknowledged, as soon as there is something; nil at the end, and when the task is cancelled.
    /// One consumer waits at a time: a second one ends the first one's waiting.
    func next() async throws -> Batch<Element>? {
        let ticket = state.with { state in
            state.tickets += 1
            return state.tickets
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { wait(ticket, $0) }
        } onCancel: {
            leave(ticket)
        }
    }

    private func wait(_ ticket: UInt64, _ continuation: Continuation) {
        // A task is marked as cancelled before its handlers run: either it is seen here, or the waiter is found by `leave`.
        if Task.isCancelled {
            continuation.resume(returning: nil)
            return
        }
        let (former, question) = state.with { state -> (Continuation?, UInt64?) in
            let former = state.waiter?.continuation
            state.waiter = (ticket, continuation)
            guard !state.isAsking else { return (former, nil) }
            state.isAsking = true
            return (former, state.acknowledged)
        }
        former?.resume(returning: nil)
        guard let question else { return }
        // Not held by what waits in the core, so that the stream is stopped when its consumers are gone.
        Task { [weak self, ask] in
            do {
                let batch = try await ask(question)
                self?.answer(.success(batch))
            } catch {
                self?.answer(.failure(error))
            }
        }
    }

    private func answer(_ result: Result<Batch<Element>?, any Error>) {
        let waiter = state.with { state in
            state.isAsking = false
            defer { state.waiter = nil }
            return state.waiter?.continuation
        }
        // Without a waiter the batch is dropped: it was not acknowledged, so it comes again.
        waiter?.resume(with: result)
    }

    private func leave(_ ticket: UInt64) {
        let waiter = state.with { state -> Continuation? in
            guard state.waiter?.ticket == ticket else { return nil }
            defer { state.waiter = nil }
            return state.waiter?.continuation
        }
        waiter?.resume(returning: nil)
    }
}
