import Foundation
import Testing

@testable import InnSyncKit

/// What holds of every InnSync, so that what was tried with the fake works with the real one.
@Suite("Contract")
struct ContractTests {
    @Test("Of the real one")
    func live() async throws {
        try await Motel.story { motel in
            try await holds(motel.phone("ana", online: false).innsync, of: "ana")
        }
    }

    @Test("Of the fake")
    func fake() async throws {
        try await holds(FakeInnSync(), of: "ana")
    }

    private func holds(_ innsync: any InnSync, of person: String) async throws {
        #expect(innsync.account.person == person)
        #expect(try innsync.newID() != innsync.newID())

        // Offline.
        #expect(try innsync.connectionState() == .disconnected)
        #expect(try await innsync.connectionStates().first() == .disconnected)
        #expect(try await innsync.statuses().first().pendingChanges == 0)
        #expect(try await innsync.syncLine().first().state == .offline)
        #expect(try await innsync.myTasks().first().tasks.isEmpty)
        #expect(try await innsync.live(Query(kind: .shift)).first().isEmpty)

        // There is nothing to be settled, restored or taken back.
        #expect(try await innsync.conflicts().first() == Conflicts(open: [], lost: [], unseen: 0))
        await #expect { try await innsync.settle(UUID(), seen: 1, choice: .mine) } throws: { $0.isInvalidInput }
        await #expect { try await innsync.restore(UUID()) } throws: { $0.isInvalidInput }
        #expect(try await innsync.undoable() == nil)
        await #expect { try await innsync.undo() } throws: { $0.isRejected(.nothingToUndo) }

        // Commands are saved.
        let operations = innsync.operations()
        let (first, second) = (try await note("Towels", innsync), try await note("Soap", innsync, after: []))
        let third = try await note("Minibar", innsync, after: [first.id])
        #expect(first.command == "CREATE_NOTE" && first.entity.kind == .note && first.state == .queued)
        #expect(try await innsync.outbox().map(\.id) == [first.id, second.id, third.id])
        #expect(try await innsync.outbox().last?.dependsOn == [first.id])
        #expect(try innsync.status().pendingChanges == 3)
        #expect(try await innsync.syncLine().first().pending == 3)
        #expect(try await innsync.whyWaiting(first.id) != nil)
        #expect(try await innsync.whyWaiting(UUID()) == nil)
        await #expect(throws: InnSyncError.timeout) { try await innsync.upToDate(within: .milliseconds(1)) }
        await #expect(throws: InnSyncError.timeout) { try await innsync.settled(first.id, within: .milliseconds(1)) }

        // Support is asked; in the background all the same, where nothing can be sent.
        let diagnostics = try await innsync.diagnostics()
        #expect(diagnostics.contains(first.id.uuidString.lowercased()) && !diagnostics.contains("Towels"))
        let departure = try await innsync.background(within: patience)
        guard case .left(operations: 3, why: .disconnected, let sentence) = departure else {
            throw Trouble("it is disconnected, with three operations: \(departure)")
        }
        #expect(sentence.hasSuffix("."))
        try await innsync.resume()

        // A person changes their mind.
        try await innsync.discard(second.id)
        #expect(try await innsync.settled(second.id, within: patience) == .discarded)
        #expect(try await innsync.outbox().map(\.id) == [first.id, third.id])

        // They take back what they did last, as if it had never been.
        let fourth = try await note("Minibar again", innsync)
        let undoable = Undoable(operation: fourth.id, command: "CREATE_NOTE", entity: fourth.entity, unsent: true)
        #expect(try await innsync.undoable() == undoable)
        let undone = try await innsync.undo()
        #expect(undone == Receipt(id: fourth.id, command: "CREATE_NOTE", entity: fourth.entity, state: nil))
        #expect(try await innsync.settled(fourth.id, within: patience) == .discarded)
        #expect(try await innsync.discarded().map(\.op.id) == [fourth.id, second.id])
        #expect(try await innsync.outbox().map(\.id) == [first.id, third.id])

        // Online.
        try innsync.connect()
        try innsync.networkChanged(available: true)
        try innsync.foreground()
        #expect(try await innsync.settled(first.id, within: patience) == .confirmed)
        try await innsync.upToDate(within: patience)
        #expect(try await innsync.outbox().isEmpty)
        #expect(try await becomes { try innsync.connectionState() == .connected })
        #expect(try await becomes { try await innsync.syncLine().first().state == .upToDate })

        // What was sent is taken back once; there is nothing left then.
        let fifth = try await note("Minibar once more", innsync)
        try await innsync.upToDate(within: patience)
        #expect(try await innsync.undoable()?.operation == fifth.id)
        #expect(try await innsync.undoable()?.unsent == false)
        #expect(try await innsync.undo().entity == fifth.entity)
        try await innsync.upToDate(within: patience)
        #expect(try await innsync.outbox().isEmpty)
        #expect(try await innsync.get(fifth.entity) == nil)
        #expect(try await innsync.undoable() == nil)
        await #expect { try await innsync.undo() } throws: { $0.isRejected(.nothingToUndo) }

        // A consumer that is cancelled within a batch gets it again.
        var seen: Set<UUID> = []
        for _ in 1...2 {
            let reading = Task {
                var first: UUID?
                for try await receipt in operations {
                    first = first ?? receipt.id
                    withUnsafeCurrentTask { $0?.cancel() }
                }
                return first
            }
            seen.insert(try #require(try await reading.value))
        }
        #expect(seen.count == 1)

        // In the background and back.
        try await innsync.quiesce()
        try await innsync.resume()
        try await innsync.upToDate(within: patience)
        #expect(try await innsync.background(within: patience) == .done)
        try await innsync.resume()
        try innsync.foreground()
        #expect(try await innsync.pushReceived("of somebody else", within: patience) == .noData)

        // The end.
        let (tasks, log) = (innsync.myTasks(), innsync.logLines(.debug))
        let following = Task {
            for try await _ in tasks {}
            for try await _ in log {}
        }
        try await innsync.close()
        try await innsync.close()
        try await following.value
        await #expect(throws: InnSyncError.closed) { try await innsync.outbox() }
        await #expect(throws: InnSyncError.closed) { try await note("Too late", innsync) }
        await #expect(throws: InnSyncError.closed) { try await innsync.myTasks().first() }
    }

    private func note(_ title: String, _ innsync: any InnSync, after operations: [UUID] = []) async throws -> Receipt {
        // With an id of its own making, so that also a closed one gets as far as the command.
        let note = Command.createNote(
            noteId: UUID(), title: title, content: "", suiteId: nil, taskId: nil, audience: .allStaff)
        return try await innsync.execute(note, dependsOn: operations)
    }
}

@Suite("Fake")
struct FakeTests {
    @Test("It shows what it was given, at once and later")
    func shows() async throws {
        let innsync = FakeInnSync()
        var shown = innsync.myTasks().makeAsyncIterator()
        #expect(try await shown.next()?.tasks == [])
        let card = TaskCard.preview(title: "Clean suite 101", suiteNumber: "101")
        innsync.show(MyTasks(tasks: [card]))
        #expect(try await shown.next()?.tasks == [card])

        let suite = Suite.preview(number: "101")
        innsync.show([.ofSuite(value: suite), .ofTask(value: card.task)])
        #expect(try await innsync.query(Query(kind: .suite)).suites == [suite])
        #expect(try await innsync.live(Query(kind: .task)).first().tasks == [card.task])
    }

    @Test("It keeps the commands, and knows what they are about")
    func keeps() async throws {
        let (innsync, id) = (FakeInnSync(), UUID())
        let commands: [Command] = [
            .completeTask(taskId: id), .setDuty(employeeId: id, isOnDuty: true), .markRead(notificationIds: [id]),
        ]
        for command in commands { try await innsync.execute(command) }
        #expect(innsync.executed == commands)
        let outbox = try await innsync.outbox()
        #expect(outbox.map(\.command) == ["COMPLETE_TASK", "SET_DUTY", "MARK_READ"])
        #expect(outbox.map(\.entity.kind) == [.task, .employee, .notification])
        #expect(outbox.allSatisfy { $0.entity.id == id })
    }

    @Test("It fails when told to, and works again")
    func fails() async throws {
        let innsync = FakeInnSync()
        innsync.fail(with: .storageFull)
        await #expect(throws: InnSyncError.storageFull) { try await innsync.execute(.takeTask(taskId: UUID())) }
        #expect(innsync.executed.isEmpty)
        innsync.fail(with: nil)
        try await innsync.execute(.takeTask(taskId: UUID()))
    }

    @Test("An operation can be parked, and tried again")
    func parks() async throws {
        let innsync = FakeInnSync(connection: .connected)
        innsync.confirms = false
        let receipt = try await innsync.execute(.takeTask(taskId: UUID()))
        let rejection = Rejection(
            class: .permanent, reason: .alreadyTaken, message: "Ben has taken it.", entity: nil, field: nil)
        innsync.park(receipt.id, .rejected(rejection: rejection))
        #expect(try await innsync.syncLine().first().state == .needsYou)
        let outcome = try await innsync.settled(receipt.id, within: patience)
        #expect(outcome == .parked(reason: .rejected(rejection: rejection)))
        let again = try await innsync.retry(receipt.id)
        innsync.confirms = true
        #expect(try await innsync.settled(again, within: patience) == .confirmed)
        #expect(try await innsync.syncLine().first().state == .upToDate)
    }

    @Test("A conflict is settled once, by who saw it as it is now")
    func settles() async throws {
        let innsync = FakeInnSync(connection: .connected)
        innsync.confirms = false
        let parked = try await innsync.execute(.editTask(taskId: UUID(), patch: TaskPatch(title: "Ten towels")))
        innsync.park(parked.id, .conflict(current: nil, fields: [], rejection: nil, deleted: nil))
        let sheet = ConflictSheet.preview(
            operation: parked.id, base: "Two towels", mine: "Ten towels", theirs: "Four \"big\" towels", version: 4)
        #expect(sheet.fields[0].theirs == #""Four \"big\" towels""#)
        let lost = LostValue.preview(lost: "Soap", kept: "Shampoo")
        innsync.show(Conflicts(open: [sheet], lost: [lost], unseen: 1))
        await #expect {
            try await innsync.settle(parked.id, seen: 3, choice: .mine)
        } throws: {
            $0.isRejected(.changedMeanwhile)
        }
        #expect(try await innsync.outbox().map(\.id) == [parked.id], "it stays as it was")
        let settling = try await innsync.settle(parked.id, seen: 4, choice: .mine)
        #expect(settling.command == "EDIT_TASK" && settling.entity == sheet.entity)
        #expect(try await innsync.outbox().map(\.id) == [settling.id])
        #expect(try await innsync.conflicts().first() == Conflicts(open: [], lost: [lost], unseen: 1))
        #expect(try await innsync.settled(parked.id, within: patience) == .discarded)
        #expect(innsync.settlements == [parked.id: .mine])
        #expect(try await innsync.undoable()?.operation == settling.id)
        #expect(try await innsync.syncLine().first().state == .syncing)
        await #expect { try await innsync.settle(parked.id, seen: 4, choice: .mine) } throws: { $0.isInvalidInput }
        innsync.confirms = true
        #expect(try await innsync.settled(settling.id, within: patience) == .confirmed)
    }

    @Test("Who keeps the others' values gives theirs up by an operation of its own")
    func givesUp() async throws {
        let innsync = FakeInnSync()
        let sheet = ConflictSheet.preview(base: "Two towels", mine: "Ten towels", theirs: "Four towels")
        innsync.show(Conflicts(open: [sheet], lost: [], unseen: 0))
        let settling = try await innsync.settle(sheet.operation, seen: sheet.version, choice: .theirs)
        #expect(settling.command == "KEEP_THEIRS" && settling.entity.kind == .conflict)
        #expect(try await innsync.undoable() == nil, "how it was settled is not taken back")
        #expect(try await innsync.conflicts().first().open.isEmpty)
    }

    @Test("What lost is restored once, and put aside")
    func restores() async throws {
        let innsync = FakeInnSync()
        let lost = [LostValue.preview(lost: "Soap", kept: "Shampoo"), .preview(lost: "Bread", kept: "Cake")]
        innsync.show(Conflicts(open: [], lost: lost, unseen: 2))
        let (first, second) = (lost[0].conflict, lost[1].conflict)
        try await innsync.restore(first.id)
        var shown = try await innsync.conflicts().first()
        #expect(shown.unseen == 1)
        #expect(shown.lost.map(\.restorable) == [false, true])
        #expect(shown.lost.map { $0.conflict.restoredAt != nil } == [true, false])
        try await innsync.dismiss([second.id])
        shown = try await innsync.conflicts().first()
        #expect(shown.unseen == 0)
        #expect(shown.lost.map(\.restorable) == [false, true])
        let restoring = Command.restoreValue(
            conflictId: first.id, entityType: first.entityType, entityId: first.entityId, field: first.field,
            value: first.lost)
        #expect(innsync.executed == [restoring, .dismissConflicts(conflictIds: [second.id])])
        let outbox = try await innsync.outbox()
        #expect(outbox.map(\.command) == ["RESTORE_VALUE", "DISMISS_CONFLICTS"])
        let about = [
            EntityRef(kind: first.entityType, id: first.entityId), EntityRef(kind: .conflict, id: second.id),
        ]
        #expect(outbox.map(\.entity) == about)
        await #expect { try await innsync.restore(UUID()) } throws: { $0.isInvalidInput }
    }

    @Test("A value that was restored by mistake has lost again")
    func unrestores() async throws {
        let innsync = FakeInnSync()
        let lost = [LostValue.preview(lost: "Soap", kept: "Shampoo"), .preview(lost: "Bread", kept: "Cake")]
        innsync.show(Conflicts(open: [], lost: lost, unseen: 2))
        let restoring = try await innsync.restore(lost[0].conflict.id)
        try await innsync.dismiss([lost[1].conflict.id])
        try await innsync.execute(.markRead(notificationIds: [UUID()]))
        #expect(try await innsync.undoable()?.operation == restoring.id, "what was read is not taken back")
        #expect(try await innsync.undo().state == nil)
        let shown = try await innsync.conflicts().first()
        #expect(shown.lost[0] == lost[0] && shown.unseen == 1)
        #expect(try await innsync.outbox().map(\.command) == ["DISMISS_CONFLICTS", "MARK_READ"])
        #expect(innsync.undone == [restoring.id])
        #expect(try await innsync.undoable() == nil)
        try await innsync.discard(innsync.restore(lost[0].conflict.id).id)
        #expect(try await innsync.conflicts().first().lost[0] == lost[0], "also when it is discarded")
    }

    @Test("What is undone is the operation as it is by now")
    func undoesRetried() async throws {
        let innsync = FakeInnSync()
        try await innsync.execute(.takeTask(taskId: UUID()))
        let second = try await innsync.execute(.takeTask(taskId: UUID()))
        innsync.park(second.id, .conflict(current: nil, fields: [], rejection: nil, deleted: nil))
        let again = try await innsync.retry(second.id)
        #expect(try await innsync.undo().id == again)
        try innsync.connect()
        #expect(try await innsync.undoable() == nil, "what was sent before that stays")
        let third = try await innsync.execute(.takeTask(taskId: UUID()))
        #expect(try await innsync.undo().id == third.id)
        #expect(innsync.undone == [again, third.id])
        #expect(try await innsync.discarded().map(\.op.id) == [again])
    }

    @Test("The log has what is told to it, up to the level that is read")
    func log() async throws {
        let innsync = FakeInnSync()
        let log = innsync.logLines(.warn)
        for level in [LogLevel.error, .warn, .info, .debug] {
            innsync.tell(LogLine(at: Date(), level: level, target: "innsync_client", message: "\(level)"))
        }
        try await innsync.close()
        var read: [String] = []
        for try await line in log { read.append(line.message) }
        #expect(read == ["error", "warn"])
    }

    @Test("Effects come until they were presented")
    func effects() async throws {
        let innsync = FakeInnSync()
        let effect = Effect(id: UUID(), at: Date(), body: .sound(name: "task-assigned", looping: false))
        innsync.tell(effect)
        #expect(try await innsync.effects().first() == effect)
        #expect(try await innsync.effects().first() == effect)
        try innsync.presented(effect.id)
        #expect(innsync.unpresented.isEmpty)
    }
}

extension Error {
    fileprivate var isInvalidInput: Bool {
        if case .invalidInput = self as? InnSyncError { true } else { false }
    }

    fileprivate func isRejected(_ reason: Reason) -> Bool {
        guard case .rejected(let rejection) = self as? InnSyncError else { return false }
        return rejection.reason == reason
    }
}
