#if canImport(UIKit) && canImport(SwiftUI) && !os(watchOS)
    import SwiftUI
    import UIKit

    @available(iOS 17, *)
    extension View {
        /// Lets InnSync follow the scene: in the background what can be sent is sent, and then the database and the sockets are
        /// closed, so that iOS may suspend the app; in the foreground it goes on and checks at once.
        public func innSyncFollowsScene(_ innsync: any InnSync) -> some View {
            modifier(SceneLife(innsync: innsync))
        }
    }

    @available(iOS 17, *)
    private struct SceneLife: ViewModifier {
        @Environment(\.scenePhase) private var phase
        @State private var follower: SceneFollower

        init(innsync: any InnSync) {
            let follower = SceneFollower(
                appear: {
                    try? await innsync.resume()
                    try? innsync.foreground()
                },
                leave: { await inBackground(innsync) })
            _follower = State(initialValue: follower)
        }

        func body(content: Content) -> some View {
            content.onChange(of: phase) { _, now in
                switch now {
                case .background: follower.tell(seen: false)
                case .active: follower.tell(seen: true)
                default: break
                }
            }
        }
    }

    /// Takes InnSync to the background, before iOS suspends the app.
    @MainActor
    private func inBackground(_ innsync: any InnSync) async {
        let id = UIApplication.shared.beginBackgroundTask(withName: "InnSync sends and closes its database") {
            // Less time than usual: quiet at once.
            Task { try? await innsync.quiesce() }
        }
        // iOS gives about 30 s.
        _ = try? await innsync.background(within: .seconds(20))
        UIApplication.shared.endBackgroundTask(id)
    }

    extension PushOutcome {
        /// For the completion handler of `application(_:didReceiveRemoteNotification:fetchCompletionHandler:)`.
        public var fetchResult: UIBackgroundFetchResult {
            switch self {
            case .newData: .newData
            case .noData: .noData
            case .failed: .failed
            }
        }
    }
#endif
