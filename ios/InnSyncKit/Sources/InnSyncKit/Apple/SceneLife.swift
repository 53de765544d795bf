#if canImport(UIKit) && canImport(SwiftUI) && !os(watchOS)
    import SwiftUI
    import UIKit

    @available(iOS 17, *)
    extension View {
        /// Lets InnSync follow the scene: in the background the database and the sockets are closed, so that iOS may suspend
        /// the app; in the foreground it goes on and checks at once.
        public func innSyncFollowsScene(_ innsync: any InnSync) -> some View {
            modifier(SceneLife(innsync: innsync))
        }
    }

    @available(iOS 17, *)
    private struct SceneLife: ViewModifier {
        let innsync: any InnSync
        @Environment(\.scenePhase) private var phase
        @State private var step: Task<Void, Never>?

        func body(content: Content) -> some View {
            content.onChange(of: phase) { _, now in
                let (innsync, former) = (innsync, step)
                switch now {
                case .background:
                    step = Task {
                        await former?.value
                        await inBackground { try? await innsync.quiesce() }
                    }
                case .active:
                    step = Task {
                        await former?.value
                        try? await innsync.resume()
                        try? innsync.foreground()
                    }
                default:
                    break
                }
            }
        }

        /// Does something that iOS shall wait for before it suspends the app.
        private func inBackground(_ work: @Sendable () async -> Void) async {
            let id = UIApplication.shared.beginBackgroundTask(withName: "InnSync closes its database")
            await work()
            UIApplication.shared.endBackgroundTask(id)
        }
    }
#endif
