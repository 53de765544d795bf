import Foundation
import Testing

@testable import InnSyncKit

@Suite("Following the platform")
struct FollowingTests {
    @Test("Only changes of the network are told")
    func network() {
        var changes = NetworkChanges()
        let wifi = NetworkPath(available: true, identity: ["wifi en0", "192.168.1.1"])
        let otherWifi = NetworkPath(available: true, identity: ["wifi en0", "10.0.0.1"])
        let mobile = NetworkPath(available: true, identity: ["cellular pdp_ip0"])
        let none = NetworkPath(available: false, identity: [""])
        let told = [wifi, wifi, otherWifi, otherWifi, mobile, none, none, mobile, wifi].map { changes.isChange($0) }
        #expect(told == [false, false, true, false, true, true, false, true, true])
        var atNight = NetworkChanges()
        let toldAtNight = [none, wifi].map { atNight.isChange($0) }
        #expect(toldAtNight == [true, true], "that there is none is news from the beginning")
    }

    @Test("A scene is followed, and what leaves is called off")
    func scene() async throws {
        let app = App()
        let follower = app.follower()
        follower.tell(seen: true)
        follower.tell(seen: false)
        #expect(try await becomes { app.steps == ["leave"] })
        app.leaves()
        follower.tell(seen: true)
        #expect(try await becomes { app.isAwake && app.steps.last == "appear" })
        follower.tell(seen: false)
        #expect(try await becomes { app.steps.last == "leave" })
        follower.tell(seen: true)
        #expect(try await becomes { app.isAwake && app.steps.last == "appear" }, "not only after its time is over")
    }

    @Test("However quickly it goes, it ends where the app is", arguments: 1...40)
    func quickly(_ round: Int) async throws {
        let app = App()
        let follower = app.follower()
        for step in 1...round {
            follower.tell(seen: step % 2 == 0)
            if step % 3 == 0 { await Task.yield() }
        }
        let seen = round % 2 == 0
        if !seen {
            // Whoever leaves for good gets there.
            #expect(try await becomes { app.isLeaving || !app.isAwake })
        }
        app.leavesFromNowOn()
        #expect(try await becomes { app.isAwake == seen && !app.isLeaving })
        try await Task.sleep(for: .milliseconds(20))
        #expect(app.isAwake == seen)
    }

    @Test("When somebody else signs in on the handset, the app follows for them from then on")
    func theHandleChanges() {
        let followers = SceneFollowers()
        let (ana, ben) = (App(), App())
        let anas = followers.follower(of: ana) { ana.follower() }
        #expect(followers.follower(of: ana) { ana.follower() } === anas)
        let bens = followers.follower(of: ben) { ben.follower() }
        #expect(bens !== anas)
        #expect(followers.follower(of: ben) { ben.follower() } === bens)
    }
}

/// As InnSync: it leaves when it may, unless somebody appears meanwhile.
private final class App: Sendable {
    private struct State {
        var awake = true
        var steps: [String] = []
        var leaving: CheckedContinuation<Void, Never>?
        var atOnce = false
    }

    private let state = Locked(State())

    var isAwake: Bool { state.with { $0.awake } }
    var isLeaving: Bool { state.with { $0.leaving != nil } }
    var steps: [String] { state.with { $0.steps } }

    func follower() -> SceneFollower {
        SceneFollower(appear: { await self.appear() }, leave: { await self.leave() })
    }

    /// It has sent everything.
    func leaves() {
        state.with { state in
            guard let leaving = state.leaving else { return }
            state.awake = false
            state.leaving = nil
            leaving.resume()
        }
    }

    func leavesFromNowOn() {
        state.with { $0.atOnce = true }
        leaves()
    }

    private func appear() async {
        state.with { state in
            state.steps.append("appear")
            state.awake = true
            state.leaving?.resume()
            state.leaving = nil
        }
    }

    private func leave() async {
        await withCheckedContinuation { continuation in
            state.with { state in
                state.steps.append("leave")
                if state.atOnce || !state.awake {
                    state.awake = false
                    continuation.resume()
                } else {
                    state.leaving = continuation
                }
            }
        }
    }
}
