#if canImport(Network)
    import Dispatch
    import Network

    /// Tells InnSync whether the phone has a network, and when it is another one, so that it connects at once. Keep it as long
    /// as the handle is open.
    public final class NetworkWatcher: @unchecked Sendable {
        private let monitor = NWPathMonitor()
        private let changes = Locked(NetworkChanges())

        /// Begins at once.
        public init(_ innsync: any InnSync) {
            monitor.pathUpdateHandler = { [changes] path in
                let news = NetworkPath(path)
                guard changes.with({ $0.isChange(news) }) else { return }
                // Fails only when the handle is closed, and then there is nobody to tell.
                try? innsync.networkChanged(available: news.available)
            }
            monitor.start(queue: DispatchQueue(label: "dev.innsync.network"))
        }

        deinit {
            monitor.cancel()
        }
    }

    extension NetworkPath {
        /// Two Wi-Fi networks have the same interface, and other gateways.
        fileprivate init(_ path: NWPath) {
            let interface = path.availableInterfaces.first.map { "\($0.type) \($0.name)" }
            self.init(
                available: path.status == .satisfied,
                identity: [interface ?? ""] + path.gateways.map { "\($0)" })
        }
    }
#endif
