import Foundation
import InnSyncCore

// What previews need: values with everything that a preview does not care about filled in.

extension Account {
    /// Ana, who cleans at the Seaside Motel.
    public static var preview: Account {
        Account(
            server: "https://sync.example.com", property: "seaside", person: "ana", employee: UUID(), name: "Ana",
            device: "preview")
    }
}

extension MotelTask {
    /// A task as a preview shows it.
    public static func preview(
        title: String, status: TaskStatus = .pending, priority: Priority = .normal, taskType: TaskType = .cleaning,
        suiteId: UUID? = nil, assignedTo: UUID? = nil, dueAt: Date? = nil
    ) -> MotelTask {
        let now = Date()
        return MotelTask(
            id: UUID(), title: title, description: "", taskType: taskType, priority: priority, status: status,
            suiteId: suiteId, assignedTo: assignedTo, department: nil, dueAt: dueAt, createdBy: UUID(), createdAt: now,
            version: 1, updatedAt: now, updatedBy: UUID())
    }
}

extension TaskCard {
    /// A task's card as a preview shows it.
    public static func preview(
        title: String, suiteNumber: String? = nil, floor: Int32? = nil, assignee: String? = nil,
        status: TaskStatus = .pending, priority: Priority = .normal, unsent: Bool = false, overdue: Bool = false
    ) -> TaskCard {
        TaskCard(
            task: .preview(title: title, status: status, priority: priority), suiteNumber: suiteNumber, floor: floor,
            assignee: assignee, unsent: unsent, overdue: overdue)
    }
}

extension Suite {
    /// A suite as a preview shows it.
    public static func preview(number: String, floor: Int32 = 1, status: SuiteStatus = .vacantDirty) -> Suite {
        Suite(
            id: UUID(), suiteNumber: number, floor: floor, status: status, openCleaningTask: nil, version: 1,
            updatedAt: Date(), updatedBy: UUID())
    }
}

extension ConflictSheet {
    /// The sheet of a title that two people changed, as a preview shows it.
    public static func preview(
        operation: UUID = UUID(), base: String, mine: String, theirs: String, overwrites: String = "Maria",
        version: UInt64 = 2
    ) -> ConflictSheet {
        let (now, who) = (Date(), UUID())
        let field = SheetField(
            field: "title", labelKey: "field.task.title", base: json(base), mine: json(mine), theirs: json(theirs),
            byName: overwrites, at: now, editable: true, suggestion: nil, baseToMine: replaced(base, mine),
            baseToTheirs: replaced(base, theirs), mineToTheirs: replaced(mine, theirs))
        let choices: [Choice] = [.theirs, .mine, .merged, .later]
        return ConflictSheet(
            operation: operation, command: "EDIT_TASK", entity: EntityRef(kind: .task, id: UUID()), title: theirs,
            version: version, updatedBy: who, updatedByName: overwrites, updatedAt: now, deleted: false,
            explanation: nil, fields: [field],
            choices: choices.map {
                SheetChoice(choice: $0, recommended: $0 == .theirs, possible: true, refusal: nil)
            })
    }

    private static func replaced(_ before: String, _ after: String) -> [TextSpan] {
        [TextSpan(kind: .removed, text: before), TextSpan(kind: .added, text: after)]
    }
}

extension LostValue {
    /// A title that lost to somebody else's, as a preview shows it.
    public static func preview(lost: String, kept: String, keptBy: String = "Sam") -> LostValue {
        let (now, who) = (Date(), UUID())
        let conflict = Conflict(
            id: UUID(), entityType: .task, entityId: UUID(), field: "title", base: "null", lost: json(lost),
            kept: json(kept), lostBy: UUID(), keptBy: who, meantAt: now, decidedAt: now, policy: .manual, certain: true,
            seenAt: nil, restoredAt: nil, version: 1, updatedAt: now, updatedBy: who)
        return LostValue(
            conflict: conflict, title: kept, labelKey: "field.task.title", keptByName: keptBy, restorable: true)
    }
}

private func json(_ text: String) -> JsonValue {
    // Encoding a text cannot fail.
    (try? JSONEncoder().encode(text)).map { String(decoding: $0, as: UTF8.self) } ?? "null"
}

// MARK: - For the fake

extension LostValue {
    /// Seen by now, and restored if so.
    func marked(at now: Date, restored: Bool) -> LostValue {
        let it = conflict
        let conflict = Conflict(
            id: it.id, entityType: it.entityType, entityId: it.entityId, field: it.field, base: it.base, lost: it.lost,
            kept: it.kept, lostBy: it.lostBy, keptBy: it.keptBy, meantAt: it.meantAt, decidedAt: it.decidedAt,
            policy: it.policy, certain: it.certain, seenAt: it.seenAt ?? now,
            restoredAt: restored ? now : it.restoredAt, version: it.version, updatedAt: it.updatedAt,
            updatedBy: it.updatedBy)
        return LostValue(
            conflict: conflict, title: title, labelKey: labelKey, keptByName: keptByName,
            restorable: restorable && !restored)
    }
}

extension Conflicts {
    /// The same with these that lost.
    func with(_ lost: [LostValue]) -> Conflicts {
        Conflicts(open: open, lost: lost, unseen: UInt32(lost.filter { $0.conflict.seenAt == nil }.count))
    }
}

extension Entity {
    /// Its kind and id.
    public var reference: EntityRef {
        switch self {
        case .ofSuite(let value): EntityRef(kind: .suite, id: value.id)
        case .ofTask(let value): EntityRef(kind: .task, id: value.id)
        case .ofEmployee(let value): EntityRef(kind: .employee, id: value.id)
        case .ofNote(let value): EntityRef(kind: .note, id: value.id)
        case .ofNotification(let value): EntityRef(kind: .notification, id: value.id)
        case .ofAlert(let value): EntityRef(kind: .alert, id: value.id)
        case .ofAnnouncement(let value): EntityRef(kind: .announcement, id: value.id)
        case .ofShift(let value): EntityRef(kind: .shift, id: value.id)
        case .ofConflict(let value): EntityRef(kind: .conflict, id: value.id)
        }
    }
}

extension Command {
    /// Its name as the wire writes it, and what it is about, read off its Swift name and first id.
    var described: (name: String, entity: EntityRef) {
        let mirror = Mirror(reflecting: self).children.first
        let label = mirror?.label ?? ""
        let name = label.map { $0.isUppercase ? "_\($0)" : $0.uppercased() }.joined()
        if case .restoreValue(_, let kind, let id, _, _) = self { return (name, EntityRef(kind: kind, id: id)) }
        // The core makes the record's id of the operation's.
        if case .keepTheirs(let id, _, _, _) = self { return (name, EntityRef(kind: .conflict, id: id)) }
        let fields = mirror.map { Mirror(reflecting: $0.value).children } ?? .init([])
        let first = fields.first?.value ?? mirror?.value
        let id = first as? UUID ?? (first as? [UUID])?.first ?? UUID()
        let field = (fields.first?.label ?? label).lowercased()
        let kinds: [(String, EntityKind)] = [
            ("suite", .suite), ("task", .task), ("note", .note), ("employee", .employee), ("duty", .employee),
            ("alert", .alert), ("announce", .announcement), ("shift", .shift), ("notification", .notification),
            ("read", .notification), ("comment", .note), ("conflict", .conflict),
        ]
        let kind = kinds.first { field.contains($0.0) }?.1 ?? .task
        return (name, EntityRef(kind: kind, id: id))
    }
}

extension QueuedOp {
    /// Whether it can be taken back: not what was read, and not how a conflict was settled.
    var isDeed: Bool { !["MARK_READ", "KEEP_THEIRS", "DISMISS_CONFLICTS"].contains(command) }

    var isParked: Bool {
        if case .parked = state { true } else { false }
    }

    func with(_ state: OpState) -> QueuedOp {
        QueuedOp(
            id: id, command: command, entity: entity, state: state, attempts: attempts,
            mayBeDiscarded: mayBeDiscarded, dependsOn: dependsOn)
    }
}

extension Receipt {
    init(_ queued: QueuedOp) {
        self.init(id: queued.id, command: queued.command, entity: queued.entity, state: queued.state)
    }
}
