import Foundation
import InnSyncKit
import Testing

/// The stories of `tests/scenarios`, which Rust and Kotlin play too. Their README says what each step means.
@Suite("Scenarios", .serialized)
struct ScenarioTests {
    @Test("Every scenario is there")
    func all() throws {
        #expect(try Scenario.files().count >= 12)
    }

    @Test("Scenario", arguments: try Scenario.names())
    func holds(_ name: String) async throws {
        let file = try Scenario.files().first { $0.lastPathComponent == "\(name).json" }
        try await Scenario.play(JSONDecoder().decode(JSON.self, from: Data(contentsOf: #require(file))))
    }

    @Test("An absence is not found before what is looked for could have come", arguments: ["noTask", "noMyTask"])
    func absence(_ name: String) async throws {
        try await Motel.story { motel in
            let (maria, ana) = (try await motel.phone("maria"), try await motel.phone("ana", online: false))
            let towels = Command.createTask(
                taskId: try maria.innsync.newID(), title: "Towels", description: "", taskType: .general,
                priority: .normal, suiteId: nil, assignedTo: ana.employee, dueAt: nil, severity: nil)
            try await maria.innsync.execute(towels)
            try await maria.innsync.upToDate(within: patience)
            // It is on its way to Ana's phone, but not yet there.
            try ana.innsync.connect()
            let scenario = Scenario(motel: motel, tokenLife: .zero, looksFor: .seconds(1), phones: ["ana": ana])
            await #expect(throws: Trouble.self) {
                try await scenario.take(.object(["by": .text("ana"), "sees": .object([name: .text("Towels")])]))
            }
            try await maria.close()
            try await ana.close()
        }
    }
}

/// A scenario under way.
private struct Scenario {
    let motel: Motel
    let began = ContinuousClock.now
    let tokenLife: Duration
    var looksFor = patience
    var phones: [String: Phone] = [:]
    var unread: [String: UInt32] = [:]

    static func files() throws -> [URL] {
        guard let path = ProcessInfo.processInfo.environment["INNSYNC_SCENARIOS"], !path.isEmpty else {
            throw Trouble("INNSYNC_SCENARIOS must name the folder of the scenarios")
        }
        return try FileManager.default
            .contentsOfDirectory(at: URL(fileURLWithPath: path), includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == "json" }
            .sorted { $0.path < $1.path }
    }

    // Not in the test's attribute, where a closure crashes Swift 6.0's compiler.
    static func names() throws -> [String] {
        try files().map { $0.deletingPathExtension().lastPathComponent }
    }

    static func play(_ script: JSON) async throws {
        let arguments = script["serverArguments"]?.texts ?? []
        let seconds = arguments.dropFirst().first.flatMap { Int($0.dropLast()) } ?? 0
        try await Motel.story(arguments: arguments) { motel in
            var scenario = Scenario(motel: motel, tokenLife: .seconds(seconds))
            for person in script["phones"]?.texts ?? [] {
                try await scenario.signIn(person, folder: person)
            }
            for person in script["handset"]?.texts ?? [] {
                try await scenario.signIn(person, folder: "handset")
            }
            for (number, step) in (script["steps"]?.items ?? []).enumerated() {
                do {
                    try await scenario.take(step)
                } catch {
                    let phones = try await scenario.described()
                    Issue.record("step \(number + 1): \(error)\n\(step)\n\(script["story"]?.text ?? "")\n\(phones)")
                    break
                }
            }
            for phone in scenario.phones.values { try await phone.close() }
        }
    }

    /// How it stands, for whoever looks into a failure.
    private func described() async throws -> String {
        var lines: [String] = []
        for phone in phones.values {
            try await lines.append("\(phone.person): \(phone.innsync.status()) \(phone.innsync.outbox())")
        }
        return lines.joined(separator: "\n")
    }

    private mutating func signIn(_ person: String, folder: String) async throws {
        let phone = try await motel.phone(person, folder: folder)
        unread[person] = try await phone.innsync.inbox().first().unreadCount
        phones[person] = phone
    }

    func take(_ step: JSON) async throws {
        switch step["server"]?.text {
        case "stops": return motel.server.kill()
        case "starts": return try motel.server.restart()
        default: break
        }
        let person = try text(step, "by")
        if let password = step["cannotSignIn"]?.text {
            await #expect(throws: InnSyncError.signInRequired) {
                try await InnSyncKit.signIn(motel.settings(person, folder: "wrong"), password: password)
            }
        } else if step["outlivesToken"] != nil {
            let over = began + tokenLife + .seconds(1)
            guard try await becomes({ ContinuousClock.now > over }) else { throw Trouble("the token lives on") }
        } else {
            guard let phone = phones[person] else { throw Trouble("\(person) has no phone") }
            try await take(step, phone)
        }
    }

    private func take(_ step: JSON, _ phone: Phone) async throws {
        if step["closes"] != nil { return try await phone.close() }
        if step["opens"] != nil { return try await phone.open() }
        if step["goesOffline"] != nil { return try phone.innsync.disconnect() }
        if step["goesOnline"] != nil { return try await phone.goOnline() }
        if step["discards"] != nil {
            for queued in try await phone.innsync.outbox() where queued.isParked {
                try await phone.innsync.discard(queued.id)
            }
            return
        }
        if let how = step["settles"] { return try await settle(phone, how) }
        if let field = step["restores"]?.text {
            guard let lost = try await phone.lost(field) else { throw Trouble("nothing of that field lost") }
            try await phone.innsync.restore(lost.conflict.id)
            return
        }
        if let wanted = step["undoes"]?.text {
            let last = try await phone.innsync.undoable()?.command
            guard last == wanted else { throw Trouble("what was done last is \(last ?? "nothing")") }
            return try await attempt(step) { try await phone.innsync.undo() }
        }
        if let what = step["sees"] {
            // What is not there must not be looked for before it could have come.
            if ["noTask", "noMyTask"].contains(where: { what[$0] != nil }) || what["times"]?.int == 0 {
                try await phone.innsync.upToDate(within: patience)
            }
            guard try await becomes(within: looksFor, { try await sees(phone, what) }) else {
                throw Trouble("\(phone.person) does not see it")
            }
            return
        }
        let command = try await command(phone, step)
        try await attempt(step) { try await phone.innsync.execute(command) }
    }

    /// Does it; where the step says so, it is refused at once.
    private func attempt(_ step: JSON, _ work: () async throws -> Receipt) async throws {
        guard let reason = step["isRefused"]?.text else {
            _ = try await work()
            return
        }
        do {
            _ = try await work()
            throw Trouble("it was not refused")
        } catch InnSyncError.rejected(let rejection) {
            guard wire(rejection.reason) == reason else { throw Trouble("refused as \(rejection.reason)") }
        }
    }

    /// Settles the open conflict as its sheet is just then; one that has moved on is looked at again.
    private func settle(_ phone: Phone, _ how: JSON) async throws {
        let choice = try settlement(how)
        guard try await becomes({ try await phone.innsync.conflicts().first().open.count == 1 }) else {
            throw Trouble("there is not one open conflict")
        }
        while let sheet = try await phone.innsync.conflicts().first().open.first {
            do {
                try await phone.innsync.settle(sheet.operation, seen: sheet.version, choice: choice)
                return
            } catch InnSyncError.rejected(let rejection) where rejection.reason == .changedMeanwhile {
                continue
            }
        }
        throw Trouble("the conflict is gone")
    }

    private func settlement(_ how: JSON) throws -> Settlement {
        if let values = how.object { return .merged(values: try values.mapValues { try $0.written() }) }
        switch how.text {
        case "THEIRS": return .theirs
        case "MINE": return .mine
        default: throw Trouble("there is no such choice: \(how)")
        }
    }

    private func command(_ phone: Phone, _ step: JSON) async throws -> Command {
        let id = try phone.innsync.newID()
        if let it = step["createTask"] {
            return .createTask(
                taskId: id, title: try text(it, "title"), description: "", taskType: .general, priority: .normal,
                suiteId: try await suite(phone, it["suite"]), assignedTo: it["assignTo"]?.text.flatMap(employee),
                dueAt: nil, severity: nil)
        }
        if let title = step["takeTask"]?.text { return .takeTask(taskId: try await phone.knownTask(title).id) }
        if let title = step["startTask"]?.text { return .startTask(taskId: try await phone.knownTask(title).id) }
        if let title = step["completeTask"]?.text { return .completeTask(taskId: try await phone.knownTask(title).id) }
        if let it = step["assignTask"] {
            guard let assignee = employee(try text(it, "to")) else { throw Trouble("to whom?") }
            return .assignTask(taskId: try await phone.knownTask(text(it, "task")).id, assignee: assignee)
        }
        if let it = step["renameTask"] {
            let task = try await phone.knownTask(text(it, "task"))
            return .editTask(taskId: task.id, patch: TaskPatch(title: try text(it, "title")))
        }
        if let it = step["setSuiteStatus"] {
            let known: [SuiteStatus] = [.vacantClean, .vacantDirty, .occupied, .cleaning, .inspected, .outOfService]
            let wanted = try text(it, "status")
            let suite = try await suite(phone, it["suite"])
            let status = known.first { wire($0) == wanted }
            guard let suite, let status else { throw Trouble("which suite, which status?") }
            return .setSuiteStatus(suiteId: suite, status: status)
        }
        if let it = step["createNote"] {
            return .createNote(
                noteId: id, title: try text(it, "title"), content: try text(it, "content"), suiteId: nil, taskId: nil,
                audience: .allStaff)
        }
        if let it = step["raiseEmergency"] {
            return .raiseEmergency(
                taskId: id, title: try text(it, "title"), description: try text(it, "description"), severity: .critical,
                suiteId: try await suite(phone, it["suite"]))
        }
        if let title = step["acknowledge"]?.text {
            let alert = try await phone.innsync.urgent().first().alerts.first { $0.title == title }
            guard let alert else { throw Trouble("there is no such alert") }
            return .acknowledgeAlert(alertId: alert.id)
        }
        throw Trouble("there is no such step")
    }

    private func sees(_ phone: Phone, _ what: JSON) async throws -> Bool {
        let innsync = phone.innsync
        func of(_ name: String) -> String? { what[name]?.text }
        if let title = of("myTask") ?? of("noMyTask") {
            let isMine = try await innsync.myTasks().first().tasks.contains { $0.task.title == title }
            return isMine == (of("myTask") != nil)
        }
        if let title = of("unassigned") {
            return try await innsync.unassigned().first().tasks.contains { $0.task.title == title }
        }
        if let title = of("urgent") {
            return try await innsync.urgent().first().tasks.contains { $0.task.title == title }
        }
        if let title = of("noTask") { return try await phone.task(title) == nil }
        if let title = of("task") { return try await phone.task(title).map { wire($0.status) } == of("status") }
        if let title = of("taskOf") {
            return try await phone.task(title)?.assignedTo == of("assignee").flatMap(employee)
        }
        if let number = of("suite") { return try await wire(phone.suite(number).status) == of("status") }
        if let title = of("note") {
            let author = of("author").flatMap(employee)
            let found = try await phone.notes(title).filter { author == nil || $0.createdBy == author }
            return found.count == what["times"]?.int
        }
        if what["moreUnread"] != nil {
            return try await innsync.inbox().first().unreadCount > unread[phone.person] ?? 0
        }
        if let name = of("event") { return phone.heard(name) }
        if let key = of("toast") {
            return phone.wasTold { if case .toast(_, key, _, _) = $0 { true } else { false } }
        }
        if let name = of("sound") {
            return phone.wasTold { if case .sound(name, _) = $0 { true } else { false } }
        }
        if let title = of("fullScreen") {
            return phone.wasTold { if case .emergencyModal(_, title, _) = $0 { true } else { false } }
        }
        if let count = what["acknowledgements"]?.int {
            return try await innsync.dashboard().first().emergencies.first?.acknowledged.count == count
        }
        if let count = what["emergencies"]?.int {
            return try await innsync.dashboard().first().emergencies.count == count
        }
        if let count = what["pending"]?.int { return try Int(innsync.status().pendingChanges) == count }
        if let count = what["parked"]?.int { return try Int(innsync.status().parked) == count }
        if let field = of("conflict") {
            return try await innsync.outbox().contains { queued in
                guard case .parked(.conflict(_, let fields, _, _)) = queued.state else { return false }
                return fields.contains { $0.field == field && $0.mine == of("mine") && $0.theirs == of("theirs") }
            }
        }
        if let field = of("sheet") {
            let open = try await innsync.conflicts().first().open
            return open.count == 1 && open[0].shows(field, what)
        }
        if let field = of("lost") {
            guard let lost = try await phone.lost(field) else { return false }
            return lost.conflict.lost == of("value") && lost.keptByName == of("keptBy")
        }
        if let state = of("connection") { return try wire(innsync.connectionState()) == state }
        if let state = of("syncLine") { return try await wire(innsync.syncLine().first().state) == state }
        throw Trouble("there is nothing to see in it")
    }

    private func employee(_ person: String) -> UUID? { phones[person]?.employee }

    private func suite(_ phone: Phone, _ number: JSON?) async throws -> UUID? {
        guard let number = number?.text else { return nil }
        return try await phone.suite(number).id
    }

    private func text(_ json: JSON, _ name: String) throws -> String {
        guard let text = json[name]?.text else { throw Trouble("what is \(name)?") }
        return text
    }
}

extension ConflictSheet {
    /// Whether it has that field, and is as the step says.
    fileprivate func shows(_ name: String, _ what: JSON) -> Bool {
        guard let shown = fields.first(where: { $0.field == name }) else { return false }
        let possible = choices.filter(\.possible).map { wire($0.choice) }
        if let theirs = what["theirs"]?.text, shown.theirs != theirs { return false }
        if let name = what["overwrites"]?.text, updatedByName != name { return false }
        if let choices = what["choices"]?.texts, possible != choices { return false }
        return true
    }
}

extension Phone {
    /// The newest value of that field that lost.
    fileprivate func lost(_ field: String) async throws -> LostValue? {
        try await innsync.conflicts().first().lost.first { $0.conflict.field == field }
    }
}

extension QueuedOp {
    fileprivate var isParked: Bool {
        if case .parked = state { true } else { false }
    }
}
