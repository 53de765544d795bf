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
        /// Outlives this value; whom it follows may change, as when somebody else signs in.
        @State private var followers = SceneFollowers()
        let innsync: any InnSync

        func body(content: Content) -> some View {
            content.onChange(of: phase) { _, now in
                switch now {
                case .background: follower.tell(seen: false)
                case .active: follower.tell(seen: true)
                default: break
                }
            }
        }

        private var follower: SceneFollower {
            let innsync = innsync
            return followers.follower(of: innsync as AnyObject) {
                SceneFollower(
                    appear: {
                        guard (try? await innsync.resume()) != nil else { return }
                        try? innsync.foreground()
                    },
                    leave: { await inBackground(innsync) })
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
        // No time at all is given: nothing is sent.
        guard id != .invalid else {
            try? await innsync.quiesce()
            return
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
