/// Where the fake tells something to everybody who listens, with the batches and acknowledgements of the core's streams.
final class Topic<Element: Sendable>: Sendable {
    private struct State {
        var current: Element?
        var ended = false
        var channels: [ObjectIdentifier: Channel<Element>] = [:]
    }

    private let keepsNewest: Bool
    private let state: Locked<State>

    /// Of something that has a state: a listener gets the present one first, and the newest when it lags.
    init(_ current: Element) {
        keepsNewest = true
        state = Locked(State(current: current))
    }

    /// Of things that happen: a listener gets each from now on.
    init() {
        keepsNewest = false
        state = Locked(State())
    }

    var current: Element? { state.with { $0.current } }

    func tell(_ element: Element) {
        let channels = state.with { state -> [Channel<Element>] in
            guard !state.ended else { return [] }
            if keepsNewest { state.current = element }
            return Array(state.channels.values)
        }
        channels.forEach { $0.offer(element) }
    }

    func end() {
        let channels = state.with { state -> [Channel<Element>] in
            state.ended = true
            return Array(state.channels.values)
        }
        channels.forEach { $0.end() }
    }

    /// A stream that begins with these elements and, where there is one, the present state.
    func stream(beginning first: [Element] = []) -> InnSyncStream<Element> {
        let channel = Channel<Element>(keepsNewest: keepsNewest)
        let id = ObjectIdentifier(channel)
        let ended = state.with { state -> Bool in
            guard !state.ended else { return true }
            state.channels[id] = channel
            first.forEach { channel.offer($0) }
            if let current = state.current { channel.offer(current) }
            return false
        }
        if ended { channel.end() }
        return InnSyncStream(
            Pull {
                await channel.batch(acknowledged: $0)
            } stop: { [weak self] in
                channel.end()
                self?.state.with { _ = $0.channels.removeValue(forKey: id) }
            })
    }
}

/// What waits for one listener.
final class Channel<Element: Sendable>: Sendable {
    private struct State {
        var waiting: [(number: UInt64, element: Element)] = []
        var last: UInt64 = 0
        var ended = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let keepsNewest: Bool
    private let state = Locked(State())

    init(keepsNewest: Bool) {
        self.keepsNewest = keepsNewest
    }

    func offer(_ element: Element) {
        wake { state in
            if keepsNewest { state.waiting.removeAll() }
            state.last += 1
            state.waiting.append((state.last, element))
        }
    }

    func end() {
        wake { $0.ended = true }
    }

    func batch(acknowledged: UInt64) async -> Batch<Element>? {
        while true {
            let (batch, ended) = state.with { state -> (Batch<Element>?, Bool) in
                state.waiting.removeAll { $0.number <= acknowledged }
                guard let last = state.waiting.last else { return (nil, state.ended) }
                return (Batch(number: last.number, items: state.waiting.map(\.element)), state.ended)
            }
            if batch != nil || ended { return batch }
            await withCheckedContinuation { continuation in
                let ready = state.with { state in
                    if state.ended || !state.waiting.isEmpty { return true }
                    state.waiter = continuation
                    return false
                }
                if ready { continuation.resume() }
            }
        }
    }

    private func wake(_ change: (inout State) -> Void) {
        let waiter = state.with { state in
            change(&state)
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }
}
