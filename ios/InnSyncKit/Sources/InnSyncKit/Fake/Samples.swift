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

// MARK: - For the fake

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
        }
    }
}

extension Command {
    /// Its name as the wire writes it, and what it is about, read off its Swift name and first id.
    var described: (name: String, entity: EntityRef) {
        let mirror = Mirror(reflecting: self).children.first
        let label = mirror?.label ?? ""
        let name = label.map { $0.isUppercase ? "_\($0)" : $0.uppercased() }.joined()
        let fields = mirror.map { Mirror(reflecting: $0.value).children } ?? .init([])
        let first = fields.first?.value ?? mirror?.value
        let id = first as? UUID ?? (first as? [UUID])?.first ?? UUID()
        let field = (fields.first?.label ?? label).lowercased()
        let kinds: [(String, EntityKind)] = [
            ("suite", .suite), ("task", .task), ("note", .note), ("employee", .employee), ("duty", .employee),
            ("alert", .alert), ("announce", .announcement), ("shift", .shift), ("notification", .notification),
            ("read", .notification), ("comment", .note),
        ]
        let kind = kinds.first { field.contains($0.0) }?.1 ?? .task
        return (name, EntityRef(kind: kind, id: id))
    }
}

extension QueuedOp {
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
