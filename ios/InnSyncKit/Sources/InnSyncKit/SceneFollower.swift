/// Takes InnSync to the background and back as the app goes, in whatever order and however quickly it is told so: it always
/// ends where the app was last.
final class SceneFollower: Sendable {
    private struct State {
        /// Where the app is.
        var seen = true
        /// Where InnSync was taken last.
        var awake = true
        /// Whether somebody takes it there.
        var follows = false
        /// Whether it goes to the background just now, and has not been called off.
        var leaves = false
        /// Calls that off.
        var callingOff: Task<Void, Never>?
    }

    private let appear: @Sendable () async -> Void
    private let leave: @Sendable () async -> Void
    private let state = Locked(State())

    /// - Parameters:
    ///   - appear: takes it to the foreground, and calls off what leaves.
    ///   - leave: takes it to the background; returns when it is there, or was called off.
    init(appear: @escaping @Sendable () async -> Void, leave: @escaping @Sendable () async -> Void) {
        self.appear = appear
        self.leave = leave
    }

    /// The app is seen from now on, or is not.
    func tell(seen: Bool) {
        let begins = state.with { state in
            state.seen = seen
            if seen && state.leaves {
                state.leaves = false
                state.callingOff = Task { [appear] in await appear() }
            }
            defer { state.follows = true }
            return !state.follows
        }
        if begins { Task { await follow() } }
    }

    private func follow() async {
        while let seen = next() {
            if seen {
                await appear()
            } else {
                await leave()
                await left()
            }
        }
    }

    /// Where InnSync is to be taken; nil: it is there.
    private func next() -> Bool? {
        state.with { state in
            if state.seen == state.awake {
                state.follows = false
                return nil
            }
            state.awake = state.seen
            state.leaves = !state.seen
            return state.seen
        }
    }

    /// It is in the background, unless it was called off.
    private func left() async {
        let callingOff = state.with { state in
            state.leaves = false
            defer { state.callingOff = nil }
            return state.callingOff
        }
        guard let callingOff else { return }
        await callingOff.value
        // Which of the two came last is not known: it is taken once more to where the app is now.
        state.with { $0.awake = !$0.seen }
    }
}

/// The follower of whoever is followed just now.
final class SceneFollowers: Sendable {
    private let last = Locked<(followed: AnyObject, follower: SceneFollower)?>(nil)

    /// The same for the same, and a new one for another.
    func follower(of followed: AnyObject, make: () -> SceneFollower) -> SceneFollower {
        last.with { last in
            if let last, last.followed === followed { return last.follower }
            let follower = make()
            last = (followed, follower)
            return follower
        }
    }
}
