#if canImport(Observation)
    import Observation

    /// The newest element of a stream, for SwiftUI: a view that reads ``value`` is drawn anew when it changes.
    ///
    /// ```swift
    /// @State private var tasks: Watched<MyTasks>   // Watched(innsync.myTasks())
    ///
    /// List(tasks.value?.tasks ?? [], id: \.task.id) { … }
    ///     .task { await tasks.run() }
    /// ```
    @available(iOS 17, macOS 14, *)
    @MainActor
    @Observable
    public final class Watched<Value: Sendable> {
        /// The newest element; nil before the first.
        public private(set) var value: Value?
        /// Why the stream failed; nil: it did not.
        public private(set) var error: InnSyncError?

        @ObservationIgnored private let open: @Sendable () -> InnSyncStream<Value>

        /// Of the stream that the expression gives. It is asked for anew by each ``run()``.
        public init(_ stream: @autoclosure @escaping @Sendable () -> InnSyncStream<Value>) {
            open = stream
        }

        /// Follows the stream until the task is cancelled or the handle closed.
        public func run() async {
            error = nil
            do {
                for try await element in open() {
                    value = element
                }
            } catch {
                self.error = InnSyncError(error)
            }
        }
    }
#endif
