import Foundation

@testable import InnSyncKit

/// Somebody's phone: InnSync, and a record of what it told its person.
final class Phone: Sendable {
    private struct State {
        var innsync: any InnSync
        var effects: [Effect] = []
        var events: [String] = []
        var listeners: [Task<Void, any Error>] = []
    }

    let person: String
    let tokens = TokensInMemory()
    private let settings: InnSyncSettings
    private let state: Locked<State>

    /// Signs in. Not yet connected.
    init(_ person: String, _ settings: InnSyncSettings) async throws {
        self.person = person
        self.settings = settings
        let innsync = try await InnSyncKit.signIn(settings, password: Motel.password, tokens: tokens)
        state = Locked(State(innsync: innsync))
        listen()
    }

    var innsync: any InnSync { state.with { $0.innsync } }
    var employee: UUID { innsync.account.employee }
    var effects: [Effect] { state.with { $0.effects } }

    /// Closes the phone: its streams end.
    func close() async throws {
        try await innsync.close()
        for listener in state.with({ $0.listeners }) { try await listener.value }
    }

    /// Opens the phone again: no password, no network needed. What it told before is forgotten.
    func open() async throws {
        let innsync = try await InnSyncKit.open(settings, tokens: tokens)
        state.with { $0 = State(innsync: innsync) }
        listen()
    }

    /// Connects and waits until everything is there.
    func goOnline() async throws {
        try innsync.connect()
        try await innsync.upToDate(within: patience)
    }

    /// Disconnects, and waits until it is.
    func goOffline() async throws {
        try innsync.disconnect()
        for try await state in innsync.connectionStates() where state == .disconnected { return }
    }

    func heard(_ event: String) -> Bool { state.with { $0.events.contains(event) } }

    func wasTold(_ body: (EffectBody) -> Bool) -> Bool { effects.contains { body($0.body) } }

    // MARK: What is shown

    func suite(_ number: String) async throws -> Suite {
        let found = try await innsync.query(Query(kind: .suite)).suites.first { $0.suiteNumber == number }
        guard let found else { throw Trouble("there is no suite \(number)") }
        return found
    }

    /// The newest task of that title.
    func task(_ title: String) async throws -> MotelTask? {
        let tasks = try await innsync.query(Query(kind: .task)).tasks
        return tasks.filter { $0.title == title }.max { $0.createdAt < $1.createdAt }
    }

    func knownTask(_ title: String) async throws -> MotelTask {
        guard let task = try await task(title) else { throw Trouble("there is no task “\(title)”") }
        return task
    }

    func notes(_ title: String) async throws -> [Note] {
        try await innsync.query(Query(kind: .note)).notes.filter { $0.title == title }
    }

    /// Writes a note for all staff.
    @discardableResult
    func writes(_ title: String, after operations: [UUID] = []) async throws -> Receipt {
        let note = Command.createNote(
            noteId: try innsync.newID(), title: title, content: "", suiteId: nil, taskId: nil, audience: .allStaff)
        return try await innsync.execute(note, dependsOn: operations)
    }

    // MARK: Inside

    /// Writes down what the phone tells, as an app would show it.
    private func listen() {
        let innsync = innsync
        let (effects, events) = (innsync.effects(), innsync.events())
        let listeners: [Task<Void, any Error>] = [
            Task { [weak self] in
                for try await effect in effects {
                    try innsync.presented(effect.id)
                    self?.state.with { $0.effects.append(effect) }
                }
            },
            Task { [weak self] in
                for try await event in events {
                    self?.state.with { $0.events.append(event.name) }
                }
            },
        ]
        state.with { $0.listeners = listeners }
    }
}

/// Keeps tokens as long as the test runs; fails while the phone is locked.
final class TokensInMemory: TokenStore {
    private let tokens = Locked([String: String]())
    private let locked = Locked(false)

    var kept: [String] { tokens.with { Array($0.values) } }

    var isLocked: Bool {
        get { locked.with { $0 } }
        set { locked.with { $0 = newValue } }
    }

    func load(account: String) throws -> String? { try opened().with { $0[account] } }
    func save(account: String, tokens text: String) throws { try opened().with { $0[account] = text } }
    func clear(account: String) throws { try opened().with { _ = $0.removeValue(forKey: account) } }

    private func opened() throws -> Locked<[String: String]> {
        if isLocked { throw TokenStoreError.Failed(detail: "the phone is locked") }
        return tokens
    }
}
