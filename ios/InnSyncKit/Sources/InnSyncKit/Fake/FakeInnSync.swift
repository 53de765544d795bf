import Foundation
import InnSyncCore

/// InnSync without a server, a database or rules, for previews and for tests of the user interface.
///
/// It shows what `show(_:)` and its sisters gave it, keeps the commands that it was given in ``executed``, and
/// holds their operations in an outbox. A command changes nothing of what is shown; what is done about conflicts changes
/// those. So ``undo()`` of what was sent does nothing either, and its receipt has no state. While connected it confirms each
/// operation at once, as a server would that takes everything; not so while ``confirms`` is false.
///
/// ```swift
/// let innsync = FakeInnSync()
/// innsync.show(MyTasks(tasks: [.preview(title: "Clean suite 101")]))
/// innsync.fail(with: .storageFull)
/// ```
public final class FakeInnSync: InnSync {
    private struct State {
        var connection: ConnectionState
        var confirms = true
        var failure: InnSyncError?
        var closed = false
        var executed: [Command] = []
        var frames: [String] = []
        var outbox: [QueuedOp] = []
        var outcomes: [UUID: Outcome] = [:]
        var conflicts = Conflicts(open: [], lost: [], unseen: 0)
        var settlements: [UUID: Settlement] = [:]
        var doneLast: QueuedOp?
        var undone: [UUID] = []
        var unrestored: [UUID: LostValue] = [:]
        var discarded: [Discarded] = []
        var entities: [Entity] = []
        var effects: [Effect] = []
        var passwords: [String] = []
        var pushes: [String] = []
        var pushOutcome = PushOutcome.noData
    }

    /// Whom it belongs to.
    public let account: Account
    private let state: Locked<State>

    private let myTasksTopic = Topic(MyTasks(tasks: []))
    private let unassignedTopic = Topic(Unassigned(tasks: []))
    private let urgentTopic = Topic(Urgent(tasks: [], alerts: []))
    private let suiteBoardTopic = Topic(SuiteBoard(floors: []))
    private let dashboardTopic = Topic(
        Dashboard(suites: [], tasks: [], overdue: 0, unassigned: 0, onDuty: [], emergencies: []))
    private let inboxTopic = Topic(Inbox(items: [], unreadCount: 0))
    private let conflictsTopic = Topic(Conflicts(open: [], lost: [], unseen: 0))
    private let entitiesTopic = Topic([Entity]())
    private let connectionTopic: Topic<ConnectionState>
    private let statusTopic: Topic<SyncStatus>
    private let syncLineTopic: Topic<SyncLine>
    private let operationsTopic = Topic<Receipt>()
    private let eventsTopic = Topic<Event>()
    private let effectsTopic = Topic<Effect>()
    private let logTopics: [(level: LogLevel, topic: Topic<LogLine>)] =
        [.error, .warn, .info, .debug].map { ($0, Topic()) }

    /// - Parameters:
    ///   - account: whom it belongs to.
    ///   - connection: how it is connected at first.
    public init(account: Account = .preview, connection: ConnectionState = .disconnected) {
        let state = State(connection: connection)
        self.account = account
        connectionTopic = Topic(connection)
        statusTopic = Topic(Self.status(of: state))
        syncLineTopic = Topic(Self.syncLine(of: state))
        self.state = Locked(state)
    }

    // MARK: What it shows

    /// My open tasks are these from now on.
    public func show(_ screen: MyTasks) { myTasksTopic.tell(screen) }
    /// Tasks to be taken are these from now on.
    public func show(_ screen: Unassigned) { unassignedTopic.tell(screen) }
    /// Urgent tasks and emergencies are these from now on.
    public func show(_ screen: Urgent) { urgentTopic.tell(screen) }
    /// The board is this from now on.
    public func show(_ screen: SuiteBoard) { suiteBoardTopic.tell(screen) }
    /// The figures are these from now on.
    public func show(_ screen: Dashboard) { dashboardTopic.tell(screen) }
    /// My news are these from now on.
    public func show(_ screen: Inbox) { inboxTopic.tell(screen) }

    /// Conflicts are these from now on.
    public func show(_ screen: Conflicts) {
        change { state in
            state.conflicts = screen
            return []
        }
    }

    /// Queries answer with these from now on: those of the query's kind, without regard to its conditions.
    public func show(_ entities: [Entity]) {
        state.with { $0.entities = entities }
        entitiesTopic.tell(entities)
    }

    /// Something happens.
    public func tell(_ event: Event) { eventsTopic.tell(event) }

    /// A line of the log is written.
    public func tell(_ line: LogLine) {
        for (_, topic) in logTopics.drop(while: { $0.level != line.level }) { topic.tell(line) }
    }

    /// Something must be shown or sounded.
    public func tell(_ effect: Effect) {
        state.with { $0.effects.append(effect) }
        effectsTopic.tell(effect)
    }

    // MARK: What the app did

    /// The commands that it was given, in order.
    public var executed: [Command] { state.with { $0.executed } }

    /// What was chosen in conflicts, by the operation that waited.
    public var settlements: [UUID: Settlement] { state.with { $0.settlements } }

    /// The operations that were taken back by ``undo()``, in order.
    public var undone: [UUID] { state.with { $0.undone } }

    /// The frames of the app's own that it was given, in order.
    public var sentFrames: [String] { state.with { $0.frames } }

    /// Effects that were not presented yet.
    public var unpresented: [Effect] { state.with { $0.effects } }

    /// The passwords given to ``signInAgain(password:)``.
    public var passwords: [String] { state.with { $0.passwords } }

    /// The payloads given to ``pushReceived(_:within:)``.
    public var pushes: [String] { state.with { $0.pushes } }

    // MARK: How it goes

    /// What each push comes to.
    public var pushOutcome: PushOutcome {
        get { state.with { $0.pushOutcome } }
        set { state.with { $0.pushOutcome = newValue } }
    }

    /// Whether operations are confirmed at once while connected.
    public var confirms: Bool {
        get { state.with { $0.confirms } }
        set {
            state.with { $0.confirms = newValue }
            confirmAll()
        }
    }

    /// Each call fails like this from now on; nil: they work again. Streams that are open go on.
    public func fail(with error: InnSyncError?) {
        state.with { $0.failure = error }
    }

    /// The operation is not taken; a person decides.
    public func park(_ operation: UUID, _ reason: ParkReason) {
        change { state in
            guard let at = state.outbox.firstIndex(where: { $0.id == operation }) else { return [] }
            state.outbox[at] = state.outbox[at].with(.parked(reason: reason))
            state.outcomes[operation] = .parked(reason: reason)
            return [Receipt(state.outbox[at])]
        }
    }

    // MARK: InnSync: who, and connection

    public func newID() throws -> UUID {
        try check()
        return UUID()
    }

    public func connect() throws { try go(.connected) }
    public func disconnect() throws { try go(.disconnected) }

    public func connectionState() throws -> ConnectionState {
        try check()
        return state.with { $0.connection }
    }

    public func connectionStates() -> InnSyncStream<ConnectionState> { connectionTopic.stream() }

    public func sendFrame(_ json: String) throws {
        try check()
        state.with { $0.frames.append(json) }
    }

    // MARK: InnSync: commands and the outbox

    public func execute(_ command: Command, dependsOn operations: [UUID]) async throws -> Receipt {
        try check()
        let (name, entity) = command.described
        let queued = QueuedOp(
            id: UUID(), command: name, entity: entity, state: .queued, attempts: 0, mayBeDiscarded: true,
            dependsOn: operations)
        change { state in
            state.executed.append(command)
            state.outbox.append(queued)
            if queued.isDeed { state.doneLast = queued }
            return []
        }
        confirmAll()
        return Receipt(queued)
    }

    public func retry(_ operation: UUID) async throws -> UUID {
        try check()
        return try replace(operation, by: nil).id
    }

    public func edit(_ operation: UUID, to command: Command) async throws -> Receipt {
        try check()
        return try replace(operation, by: command)
    }

    private func replace(_ operation: UUID, by command: Command?) throws -> Receipt {
        let new = UUID()
        var receipt: Receipt?
        try change { state in
            guard let at = state.outbox.firstIndex(where: { $0.id == operation }) else { throw Self.unknown(operation) }
            let old = state.outbox[at]
            guard case .parked = old.state else { throw Self.unknown(operation) }
            state.executed += command.map { [$0] } ?? []
            state.outbox[at] = QueuedOp(
                id: new, command: command?.described.0 ?? old.command, entity: old.entity, state: .queued, attempts: 0,
                mayBeDiscarded: true, dependsOn: old.dependsOn)
            state.outcomes[operation] = .discarded
            if state.doneLast?.id == operation { state.doneLast = state.outbox[at] }
            state.unrestored[new] = state.unrestored.removeValue(forKey: operation)
            receipt = Receipt(state.outbox[at])
            return [Receipt(state.outbox[at])]
        }
        confirmAll()
        guard let receipt else { throw Self.unknown(operation) }
        return receipt
    }

    @discardableResult
    public func settle(_ operation: UUID, seen version: UInt64?, choice: Settlement) async throws -> Receipt {
        try check()
        var settling: QueuedOp?
        try change { state in
            guard let sheet = state.conflicts.open.first(where: { $0.operation == operation }) else {
                throw Self.unknown(operation)
            }
            guard sheet.version == version else { throw Self.changedMeanwhile }
            // Others' values are kept by a command of its own.
            let kept = EntityRef(kind: .conflict, id: operation)
            let queued = QueuedOp(
                id: UUID(), command: choice == .theirs ? "KEEP_THEIRS" : sheet.command,
                entity: choice == .theirs ? kept : sheet.entity, state: .queued, attempts: 0, mayBeDiscarded: true,
                dependsOn: [])
            state.conflicts = Conflicts(
                open: state.conflicts.open.filter { $0.operation != operation }, lost: state.conflicts.lost,
                unseen: state.conflicts.unseen)
            state.outbox.removeAll { $0.id == operation }
            state.outbox.append(queued)
            state.outcomes[operation] = .discarded
            if state.doneLast?.id == operation { state.doneLast = nil }
            state.settlements[operation] = choice
            settling = queued
            return [Receipt(queued)]
        }
        confirmAll()
        guard let settling else { throw Self.unknown(operation) }
        return Receipt(settling)
    }

    @discardableResult
    public func restore(_ conflict: UUID) async throws -> Receipt {
        try check()
        guard let shown = state.with({ $0.conflicts.lost.first { $0.conflict.id == conflict } }) else {
            throw InnSyncError.invalidInput(detail: "there is no such conflict")
        }
        mark([conflict], restored: true)
        let value = shown.conflict
        let receipt = try await execute(
            .restoreValue(
                conflictId: value.id, entityType: value.entityType, entityId: value.entityId, field: value.field,
                value: value.lost))
        state.with { $0.unrestored[receipt.id] = shown }
        return receipt
    }

    @discardableResult
    public func dismiss(_ conflicts: [UUID]) async throws -> Receipt {
        try check()
        mark(conflicts, restored: false)
        return try await execute(.dismissConflicts(conflictIds: conflicts))
    }

    private func mark(_ conflicts: [UUID], restored: Bool) {
        let now = Date()
        change { state in
            let lost = state.conflicts.lost.map {
                conflicts.contains($0.conflict.id) ? $0.marked(at: now, restored: restored) : $0
            }
            state.conflicts = state.conflicts.with(lost)
            return []
        }
    }

    @discardableResult
    public func undo() async throws -> Receipt {
        try check()
        var receipt: Receipt?
        try change { state in
            guard let last = Self.undoable(state) else { throw Self.nothingToUndo }
            state.doneLast = nil
            state.undone.append(last.operation)
            let discarded = last.unsent ? try Self.forget(last.operation, &state) : []
            receipt = Receipt(id: last.operation, command: last.command, entity: last.entity, state: nil)
            return discarded
        }
        guard let receipt else { throw Self.nothingToUndo }
        return receipt
    }

    public func undoable() async throws -> Undoable? {
        try check()
        return state.with { Self.undoable($0) }
    }

    private static func undoable(_ state: State) -> Undoable? {
        let queued = state.outbox.last(where: \.isDeed).flatMap { $0.state == .queued ? $0 : nil }
        guard let last = state.doneLast ?? queued else { return nil }
        return Undoable(
            operation: last.id, command: last.command, entity: last.entity,
            unsent: state.outbox.contains { $0.id == last.id })
    }

    public func dependents(of operation: UUID) async throws -> [QueuedOp] {
        try check()
        return state.with { state in
            var given: Set = [operation]
            return state.outbox.filter { op in
                guard !given.isDisjoint(with: op.dependsOn) else { return false }
                return given.insert(op.id).inserted
            }
        }
    }

    public func discardWithDependents(_ operation: UUID) async throws -> [UUID] {
        let all = try await [operation] + dependents(of: operation).map(\.id)
        for id in all {
            try await discard(id)
        }
        return all
    }

    public func discarded() async throws -> [Discarded] {
        try check()
        return state.with { $0.discarded.reversed() }
    }

    public func exportWork() async throws -> String {
        try check()
        return state.with { state in
            func ids(_ all: [QueuedOp]) -> String { all.map { "\"\($0.id)\"" }.joined(separator: ",") }
            return "{\"outbox\":[\(ids(state.outbox))],\"discarded\":[\(ids(state.discarded.map(\.op)))]}"
        }
    }

    public func discard(_ operation: UUID) async throws {
        try check()
        try change { state in try Self.forget(operation, &state) }
    }

    /// Discards it, with what it did to conflicts.
    private static func forget(_ operation: UUID, _ state: inout State) throws -> [Receipt] {
        guard let at = state.outbox.firstIndex(where: { $0.id == operation }) else { throw unknown(operation) }
        let old = state.outbox.remove(at: at)
        state.outcomes[operation] = .discarded
        state.discarded.append(Discarded(at: Date(), op: old))
        if state.doneLast?.id == operation { state.doneLast = nil }
        if let was = state.unrestored.removeValue(forKey: operation) {
            let lost = state.conflicts.lost.map { $0.conflict.id == was.conflict.id ? was : $0 }
            state.conflicts = state.conflicts.with(lost)
        }
        return [Receipt(old)]
    }

    public func outbox() async throws -> [QueuedOp] {
        try check()
        return state.with { $0.outbox }
    }

    public func settled(_ operation: UUID, within limit: Duration) async throws -> Outcome {
        try check()
        let changes = operationsTopic.stream()
        if let outcome = state.with({ $0.outcomes[operation] }) { return outcome }
        guard state.with({ state in state.outbox.contains { $0.id == operation } }) else {
            throw Self.unknown(operation)
        }
        return try await within(limit) {
            for try await _ in changes {
                if let outcome = self.state.with({ $0.outcomes[operation] }) { return outcome }
            }
            throw InnSyncError.closed
        }
    }

    public func whyWaiting(_ operation: UUID) async throws -> String? {
        try check()
        return state.with { state in
            guard let queued = state.outbox.first(where: { $0.id == operation }) else { return nil }
            if case .parked = queued.state { return "It was not taken: a person must decide." }
            return state.connection == .connected
                ? "It waits for the server's answer." : "It waits for a connection."
        }
    }

    public func operations() -> InnSyncStream<Receipt> { operationsTopic.stream() }

    // MARK: InnSync: data

    public func query(_ query: Query) async throws -> [Entity] {
        try check()
        return state.with { state in state.entities.filter { $0.reference.kind == query.kind } }
    }

    public func get(_ entity: EntityRef) async throws -> Entity? {
        try check()
        return state.with { state in state.entities.first { $0.reference == entity } }
    }

    public func live(_ query: Query) -> InnSyncStream<[Entity]> {
        entitiesTopic.stream().map { entities in entities.filter { $0.reference.kind == query.kind } }
    }

    public func refresh() async throws { try check() }
    public func clear(_ kind: EntityKind) async throws { try check() }
    public func clearCache() async throws { try check() }

    // MARK: InnSync: screens

    public func myTasks() -> InnSyncStream<MyTasks> { myTasksTopic.stream() }
    public func unassigned() -> InnSyncStream<Unassigned> { unassignedTopic.stream() }
    public func urgent() -> InnSyncStream<Urgent> { urgentTopic.stream() }
    public func suiteBoard() -> InnSyncStream<SuiteBoard> { suiteBoardTopic.stream() }
    public func dashboard() -> InnSyncStream<Dashboard> { dashboardTopic.stream() }
    public func inbox() -> InnSyncStream<Inbox> { inboxTopic.stream() }
    public func conflicts() -> InnSyncStream<Conflicts> { conflictsTopic.stream() }
    public func syncLine() -> InnSyncStream<SyncLine> { syncLineTopic.stream() }

    public func status() throws -> SyncStatus {
        try check()
        return state.with { Self.status(of: $0) }
    }

    public func statuses() -> InnSyncStream<SyncStatus> { statusTopic.stream() }

    // MARK: InnSync: what happens

    public func events() -> InnSyncStream<Event> { eventsTopic.stream() }
    public func effects() -> InnSyncStream<Effect> { effectsTopic.stream(beginning: unpresented) }

    public func logLines(_ level: LogLevel) -> InnSyncStream<LogLine> {
        (logTopics.first { $0.level == level } ?? logTopics[0]).topic.stream()
    }

    public func presented(_ effect: UUID) throws {
        try check()
        state.with { state in state.effects.removeAll { $0.id == effect } }
    }

    // MARK: InnSync: life

    public func networkChanged(available: Bool) throws { try check() }
    public func foreground() throws { try check() }

    public func background(within budget: Duration) async throws -> Backgrounded {
        try check()
        let status = try status()
        if status.connection != .connected {
            return .left(
                operations: status.pendingChanges, why: .disconnected, sentence: "The app is disconnected.")
        }
        if status.pendingChanges > 0 {
            return .left(
                operations: status.pendingChanges, why: .outOfTime, sentence: "The time given was over.")
        }
        return .done
    }

    public func pushReceived(_ payload: String, within limit: Duration) async throws -> PushOutcome {
        try check()
        return state.with { state in
            state.pushes.append(payload)
            return state.pushOutcome
        }
    }

    public func diagnostics() async throws -> String {
        try check()
        let ids = state.with { $0.outbox.map { "{\"id\":\"\($0.id.uuidString.lowercased())\"}" } }
        return "{\"engine\":{\"outbox\":[\(ids.joined(separator: ","))]}}"
    }

    public func upToDate(within limit: Duration) async throws {
        try check()
        try await within(limit) {
            for try await status in self.statusTopic.stream() where status.isOnline && status.pendingChanges == 0 {
                return
            }
            throw InnSyncError.closed
        }
    }

    public func quiesce() async throws { try check() }
    public func resume() async throws { try check() }

    public func signInAgain(password: String) async throws {
        try check()
        state.with { $0.passwords.append(password) }
    }

    public func signOut(_ pending: PendingWork) async throws {
        try check()
        if case .send(let milliseconds) = pending { try await upToDate(within: .milliseconds(milliseconds)) }
        try await close()
    }

    public func close() async throws {
        state.with { $0.closed = true }
        myTasksTopic.end()
        unassignedTopic.end()
        urgentTopic.end()
        suiteBoardTopic.end()
        dashboardTopic.end()
        inboxTopic.end()
        conflictsTopic.end()
        entitiesTopic.end()
        connectionTopic.end()
        statusTopic.end()
        syncLineTopic.end()
        operationsTopic.end()
        eventsTopic.end()
        effectsTopic.end()
        for (_, topic) in logTopics { topic.end() }
    }

    // MARK: Inside

    private func check() throws {
        try state.with { state in
            if state.closed { throw InnSyncError.closed }
            if let failure = state.failure { throw failure }
        }
    }

    private func go(_ connection: ConnectionState) throws {
        try check()
        change { state in
            state.connection = connection
            return []
        }
        connectionTopic.tell(connection)
        confirmAll()
    }

    /// Confirms what is queued, where a server would.
    private func confirmAll() {
        change { state in
            guard state.confirms, state.connection == .connected else { return [] }
            let taken = state.outbox.filter { $0.state == .queued }
            state.outbox.removeAll { $0.state == .queued }
            taken.forEach { state.outcomes[$0.id] = .confirmed }
            return taken.map { Receipt(id: $0.id, command: $0.command, entity: $0.entity, state: nil) }
        }
    }

    /// Changes the state and tells of it: of the operations that it returns, of the status and of conflicts.
    private func change(_ work: (inout State) throws -> [Receipt]) rethrows {
        let (receipts, status, line, conflicts) = try state.with { state in
            (try work(&state), Self.status(of: state), Self.syncLine(of: state), state.conflicts)
        }
        receipts.forEach { operationsTopic.tell($0) }
        if statusTopic.current != status { statusTopic.tell(status) }
        if syncLineTopic.current != line { syncLineTopic.tell(line) }
        if conflictsTopic.current != conflicts { conflictsTopic.tell(conflicts) }
    }

    private static func status(of state: State) -> SyncStatus {
        let parked = state.outbox.filter(\.isParked).count
        return SyncStatus(
            connection: state.connection, isOnline: state.connection == .connected,
            pendingChanges: UInt32(state.outbox.count - parked), progress: nil, parked: UInt32(parked),
            syncInProgress: false,
            lastSyncTime: nil, upToDateAsOf: nil, hasData: true, needsSignIn: false, reconnectAttempts: 0,
            queuedMessages: 0)
    }

    private static func syncLine(of state: State) -> SyncLine {
        let status = status(of: state)
        let says: SyncState =
            if status.parked > 0 {
                .needsYou
            } else if !status.isOnline {
                .offline
            } else if status.pendingChanges > 0 {
                .syncing
            } else {
                .upToDate
            }
        return SyncLine(state: says, pending: status.pendingChanges, parked: status.parked, upToDateAsOf: nil)
    }

    private static let changedMeanwhile = refused(
        .changedMeanwhile, "It was changed again meanwhile; look at it once more, then choose.")

    private static let nothingToUndo = refused(
        .nothingToUndo, "There is nothing of yours that could be taken back.")

    private static func refused(_ reason: Reason, _ message: String) -> InnSyncError {
        .rejected(Rejection(class: .permanent, reason: reason, message: message, entity: nil, field: nil))
    }

    private static func unknown(_ operation: UUID) -> InnSyncError {
        .invalidInput(detail: "there is no operation \(operation.uuidString.lowercased())")
    }

    private func within<Value: Sendable>(
        _ limit: Duration, _ work: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Value.self) { group in
            group.addTask(operation: work)
            group.addTask {
                try await Task.sleep(for: limit)
                throw InnSyncError.timeout
            }
            defer { group.cancelAll() }
            guard let value = try await group.next() else { throw InnSyncError.closed }
            return value
        }
    }
}
