#if canImport(Network)
    import Dispatch
    import Network

    /// Tells InnSync whether the phone has a network, so that it connects at once when there is one. Keep it as long as the
    /// handle is open.
    public final class NetworkWatcher: @unchecked Sendable {
        private let monitor = NWPathMonitor()

        /// Begins at once.
        public init(_ innsync: any InnSync) {
            monitor.pathUpdateHandler = { path in
                // Fails only when the handle is closed, and then there is nobody to tell.
                try? innsync.networkChanged(available: path.status == .satisfied)
            }
            monitor.start(queue: DispatchQueue(label: "dev.innsync.network"))
        }

        deinit {
            monitor.cancel()
        }
    }
#endif
