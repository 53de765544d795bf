import Foundation
import InnSyncCore

/// The real one, over the core's handle.
final class LiveInnSync: InnSync {
    let account: Account
    private let handle: InnSyncHandle

    init(_ handle: InnSyncHandle) throws {
        self.handle = handle
        account = try handle.account()
    }

    // MARK: Who, and connection

    func newID() throws -> UUID { try told { try handle.newId() } }
    func connect() throws { try told { try handle.connect() } }
    func disconnect() throws { try told { try handle.disconnect() } }
    func connectionState() throws -> ConnectionState { try told { try handle.connectionState() } }
    func connectionStates() -> InnSyncStream<ConnectionState> { stream { try handle.watchConnection() } }
    func sendFrame(_ json: String) throws { try told { try handle.sendFrame(json: json) } }

    // MARK: Commands and the outbox

    func execute(_ command: Command, dependsOn operations: [UUID]) async throws -> Receipt {
        try await told { try await self.handle.execute(command: command, dependsOn: operations) }
    }

    func retry(_ operation: UUID) async throws -> UUID {
        try await told { try await self.handle.retry(operation: operation) }
    }

    func edit(_ operation: UUID, to command: Command) async throws -> Receipt {
        try await told { try await self.handle.edit(operation: operation, command: command) }
    }

    func settle(_ operation: UUID, seen version: UInt64?, choice: Settlement) async throws -> Receipt {
        try await told { try await self.handle.settle(operation: operation, seen: version, choice: choice) }
    }

    func restore(_ conflict: UUID) async throws -> Receipt {
        try await told { try await self.handle.restore(conflict: conflict) }
    }

    func dismiss(_ conflicts: [UUID]) async throws -> Receipt {
        try await told { try await self.handle.dismiss(conflicts: conflicts) }
    }

    func undo() async throws -> Receipt {
        try await told { try await self.handle.undo() }
    }

    func undoable() async throws -> Undoable? {
        try await told { try await self.handle.undoable() }
    }

    func dependents(of operation: UUID) async throws -> [QueuedOp] {
        try await told { try await self.handle.dependents(operation: operation) }
    }

    func discardWithDependents(_ operation: UUID) async throws -> [UUID] {
        try await told { try await self.handle.discardWithDependents(operation: operation) }
    }

    func discarded() async throws -> [Discarded] {
        try await told { try await self.handle.discarded() }
    }

    func exportWork() async throws -> String {
        try await told { try await self.handle.exportWork() }
    }

    func discard(_ operation: UUID) async throws {
        try await told { try await self.handle.discard(operation: operation) }
    }

    func outbox() async throws -> [QueuedOp] {
        try await told { try await self.handle.outbox() }
    }

    func settled(_ operation: UUID, within limit: Duration) async throws -> Outcome {
        try await patiently { [handle] in
            try await handle.settled(operation: operation, timeoutMs: limit.milliseconds)
        }
    }

    func whyWaiting(_ operation: UUID) async throws -> String? {
        try await told { try await self.handle.whyWaiting(operation: operation) }
    }

    func operations() -> InnSyncStream<Receipt> { stream { try handle.operations() } }

    // MARK: Data

    func query(_ query: Query) async throws -> [Entity] {
        try await told { try await self.handle.query(query: query) }
    }

    func get(_ entity: EntityRef) async throws -> Entity? {
        try await told { try await self.handle.get(entity: entity) }
    }

    func live(_ query: Query) -> InnSyncStream<[Entity]> {
        InnSyncStream {
            let updates = try handle.live(query: query)
            return lists(from: ask(updates), stop: { updates.stop() })
        }
    }

    func refresh() async throws { try await told { try await self.handle.refresh() } }
    func clear(_ kind: EntityKind) async throws { try await told { try await self.handle.clearKind(kind: kind) } }
    func clearCache() async throws { try await told { try await self.handle.clearCache() } }

    // MARK: Screens

    func myTasks() -> InnSyncStream<MyTasks> { stream { try handle.watchMyTasks() } }
    func unassigned() -> InnSyncStream<Unassigned> { stream { try handle.watchUnassigned() } }
    func urgent() -> InnSyncStream<Urgent> { stream { try handle.watchUrgent() } }
    func suiteBoard() -> InnSyncStream<SuiteBoard> { stream { try handle.watchSuiteBoard() } }
    func dashboard() -> InnSyncStream<Dashboard> { stream { try handle.watchDashboard() } }
    func inbox() -> InnSyncStream<Inbox> { stream { try handle.watchInbox() } }
    func conflicts() -> InnSyncStream<Conflicts> { stream { try handle.watchConflicts() } }
    func syncLine() -> InnSyncStream<SyncLine> { stream { try handle.watchSyncLine() } }
    func status() throws -> SyncStatus { try told { try handle.status() } }
    func statuses() -> InnSyncStream<SyncStatus> { stream { try handle.watchStatus() } }

    // MARK: What happens

    func events() -> InnSyncStream<Event> { stream { try handle.events() } }
    func effects() -> InnSyncStream<Effect> { stream { try handle.effects() } }
    func logLines(_ level: LogLevel) -> InnSyncStream<LogLine> { stream { try handle.logLines(level: level) } }
    func presented(_ effect: UUID) throws { try told { try handle.presented(effect: effect) } }

    // MARK: Life

    func networkChanged(available: Bool) throws { try told { try handle.networkChanged(available: available) } }
    func foreground() throws { try told { try handle.foreground() } }

    func background(within budget: Duration) async throws -> Backgrounded {
        try await told { try await self.handle.background(budgetMs: budget.milliseconds) }
    }

    func pushReceived(_ payload: String, within limit: Duration) async throws -> PushOutcome {
        try await told { try await self.handle.pushReceived(payload: payload, timeoutMs: limit.milliseconds) }
    }

    func diagnostics() async throws -> String { try await told { try await self.handle.diagnostics() } }

    func upToDate(within limit: Duration) async throws {
        try await patiently { [handle] in try await handle.upToDate(timeoutMs: limit.milliseconds) }
    }

    func quiesce() async throws { try await told { try await self.handle.quiesce() } }
    func resume() async throws { try await told { try await self.handle.resume() } }

    func signInAgain(password: String) async throws {
        try await told { try await self.handle.signInAgain(password: password) }
    }

    func signOut(_ pending: PendingWork) async throws {
        try await told { try await self.handle.signOut(pending: pending) }
    }

    func close() async throws { try await told { try await self.handle.shutDown() } }

    /// Waits for something that takes as long as the caller allows: it does not keep a cancelled task waiting.
    private func patiently<Value: Sendable>(
        _ work: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await told { try await abandonable(work) }
    }
}

// MARK: - Streams

/// A stream of the core: each has a batch type of its own, since generics do not cross the border.
protocol CoreStream: AnyObject, Sendable {
    associatedtype CoreBatchType: CoreBatch
    func batch(acknowledged: UInt64) async throws -> CoreBatchType?
    func stop()
}

/// A batch of such a stream.
protocol CoreBatch: Sendable {
    associatedtype Item: Sendable
    var number: UInt64 { get }
    var items: [Item] { get }
}

extension ConnectionStream: CoreStream {}
extension ConnectionBatch: CoreBatch {}
extension StatusStream: CoreStream {}
extension StatusBatch: CoreBatch {}
extension OperationStream: CoreStream {}
extension OperationBatch: CoreBatch {}
extension EventStream: CoreStream {}
extension EventBatch: CoreBatch {}
extension EffectStream: CoreStream {}
extension EffectBatch: CoreBatch {}
extension UpdateStream: CoreStream {}
extension UpdateBatch: CoreBatch {}
extension MyTasksStream: CoreStream {}
extension MyTasksBatch: CoreBatch {}
extension UnassignedStream: CoreStream {}
extension UnassignedBatch: CoreBatch {}
extension UrgentStream: CoreStream {}
extension UrgentBatch: CoreBatch {}
extension SuiteBoardStream: CoreStream {}
extension SuiteBoardBatch: CoreBatch {}
extension DashboardStream: CoreStream {}
extension DashboardBatch: CoreBatch {}
extension InboxStream: CoreStream {}
extension InboxBatch: CoreBatch {}
extension ConflictsStream: CoreStream {}
extension ConflictsBatch: CoreBatch {}
extension SyncLineStream: CoreStream {}
extension SyncLineBatch: CoreBatch {}
extension LogStream: CoreStream {}
extension LogBatch: CoreBatch {}

func stream<Stream: CoreStream>(
    _ open: () throws -> Stream
) -> InnSyncStream<Stream.CoreBatchType.Item> {
    InnSyncStream { pull(try open()) }
}

private func pull<Stream: CoreStream>(_ stream: Stream) -> Pull<Stream.CoreBatchType.Item> {
    Pull(ask: ask(stream), stop: { stream.stop() })
}

private func ask<Stream: CoreStream>(_ stream: Stream) -> Pull<Stream.CoreBatchType.Item>.Ask {
    { acknowledged in
        try await told {
            try await stream.batch(acknowledged: acknowledged).map { Batch(number: $0.number, items: $0.items) }
        }
    }
}
