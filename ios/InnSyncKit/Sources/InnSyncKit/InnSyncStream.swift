/// What InnSync tells, one element after another: `for try await tasks in innsync.myTasks() { … }`.
///
/// The stream begins when it is asked for, not when it is first iterated. It ends when its task is cancelled, and when the
/// handle is closed.
///
/// **Cancelling loses nothing.** An element counts as taken when the next one is asked for. Elements come from the core in
/// batches; when a consumer is cancelled within one, a new loop over *the same* stream begins with that batch again. One
/// consumer iterates a stream at a time: a second one ends the first. To have two, ask InnSync for two streams.
///
/// Screens, lists and states begin with the present one, and a consumer that lags gets the newest. Their numbers are small:
/// a stream that nobody holds any more costs nothing.
public struct InnSyncStream<Element: Sendable>: AsyncSequence, Sendable {
    fileprivate let source: Source

    fileprivate enum Source: Sendable {
        case pull(Pull<Element>)
        case failed(InnSyncError)
    }

    init(_ pull: Pull<Element>) {
        source = .pull(pull)
    }

    /// The stream that `open` gives; one that fails at once where that fails.
    init(opening open: () throws -> Pull<Element>) {
        do {
            source = .pull(try open())
        } catch {
            source = .failed(InnSyncError(error))
        }
    }

    /// Steps through a stream.
    public struct Iterator: AsyncIteratorProtocol, Sendable {
        fileprivate let source: Source
        private var items: ArraySlice<Element> = []
        private var taken: UInt64 = 0

        fileprivate init(_ source: Source) {
            self.source = source
        }

        /// The next element; nil at the end. Throws ``InnSyncError/bug(id:)`` alone.
        public mutating func next() async throws -> Element? {
            switch source {
            case .failed(let error):
                throw error
            case .pull(let pull):
                if Task.isCancelled { return nil }
                if items.isEmpty {
                    pull.acknowledge(taken)
                    guard let batch = try await pull.next() else { return nil }
                    items = batch.items[...]
                    taken = batch.number
                }
                return items.popFirst()
            }
        }
    }

    /// Begins with what was not yet acknowledged.
    public func makeAsyncIterator() -> Iterator {
        Iterator(source)
    }

    /// The first element: of a screen, a list or a state the present one.
    ///
    /// Throws ``InnSyncError/closed`` where there is none any more, and `CancellationError`.
    public func first() async throws -> Element {
        var iterator = makeAsyncIterator()
        if let element = try await iterator.next() { return element }
        try Task.checkCancellation()
        throw InnSyncError.closed
    }

    /// A stream of what `transform` makes of each element.
    func map<Result: Sendable>(
        _ transform: @escaping @Sendable (Element) -> Result
    ) -> InnSyncStream<Result> {
        switch source {
        case .failed(let error):
            return InnSyncStream<Result>(opening: { throw error })
        case .pull(let pull):
            return InnSyncStream<Result>(
                Pull {
                    pull.acknowledge($0)
                    return try await pull.next().map { Batch(number: $0.number, items: $0.items.map(transform)) }
                } stop: {
                    // The other one stops when this one is gone.
                })
        }
    }
}
