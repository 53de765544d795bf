import Foundation

/// Waits for work that cannot be cancelled itself. When the waiting task is cancelled this throws `CancellationError` at
/// once, and the work goes on unwatched.
func abandonable<Value: Sendable>(
    _ work: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    let gate = Gate<Value>()
    return try await withTaskCancellationHandler {
        try await withCheckedThrowingContinuation { continuation in
            guard gate.wait(continuation) else { return }
            Task {
                do {
                    gate.open(.success(try await work()))
                } catch {
                    gate.open(.failure(error))
                }
            }
        }
    } onCancel: {
        gate.open(.failure(CancellationError()))
    }
}

/// Gives its waiter the first result that comes.
private final class Gate<Value: Sendable>: Sendable {
    private enum State {
        case fresh
        case waiting(CheckedContinuation<Value, any Error>)
        case open(Result<Value, any Error>)
    }

    private let state = Locked(State.fresh)

    /// False: it was opened before anybody waited, and the waiter has gone on.
    func wait(_ continuation: CheckedContinuation<Value, any Error>) -> Bool {
        let early: Result<Value, any Error>? = state.with { state in
            if case .open(let result) = state { return result }
            state = .waiting(continuation)
            return nil
        }
        guard let early else { return true }
        continuation.resume(with: early)
        return false
    }

    func open(_ result: Result<Value, any Error>) {
        let waiter: CheckedContinuation<Value, any Error>? = state.with { state in
            switch state {
            case .fresh:
                state = .open(result)
                return nil
            case .waiting(let continuation):
                state = .open(result)
                return continuation
            case .open:
                return nil
            }
        }
        waiter?.resume(with: result)
    }
}

extension Duration {
    /// Whole milliseconds, as the core counts; never negative.
    var milliseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (whole, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000)
        return overflow ? .max : whole + UInt64(attoseconds / 1_000_000_000_000_000)
    }
}
