/// What the system says of the network in use.
struct NetworkPath: Equatable, Sendable {
    /// Whether there is one.
    var available: Bool
    /// What tells it from another: the interface, its gateways.
    var identity: [String]
}

/// Tells changes of the network from repeated news of the same one. A change costs the requests under way.
struct NetworkChanges: Sendable {
    private var known: NetworkPath?

    /// Whether InnSync is to be told. The network that is there from the beginning is no change.
    mutating func isChange(_ path: NetworkPath) -> Bool {
        defer { known = path }
        guard let known else { return !path.available }
        return known.available != path.available || (path.available && known.identity != path.identity)
    }
}
