import Foundation
import Testing

@testable import InnSyncKit

// What the README and the article show is quoted from here, so that it compiles; a test sees to it that they are equal.

// README: sign in
import InnSyncKit

func openInnSync(server: URL, directory: URL, password: String?) async throws -> any InnSync {
    let settings = InnSyncSettings(server: server, property: "seaside", person: "ana", directory: directory)
    let innsync: any InnSync
    if let password {
        innsync = try await InnSyncKit.signIn(settings, password: password)
    } else {
        // Signed in before: needs no password and no network.
        innsync = try await InnSyncKit.open(settings)
    }
    try innsync.connect()
    return innsync
}
// README: end

// README: complete a task
func complete(_ task: MotelTask, _ innsync: any InnSync) async throws {
    // Returns when it is saved on the phone, with or without a network; lists show it at once.
    try await innsync.execute(.completeTask(taskId: task.id))
}
// README: end

// README: effects
func showEffects(of innsync: any InnSync, toast: (_ key: String) async -> Void) async throws {
    for try await effect in innsync.effects() {
        if case .toast(_, let key, _, _) = effect.body { await toast(key) }
        // It does not come again; without this it would, also after a restart.
        try innsync.presented(effect.id)
    }
}
// README: end

// README: undo
/// For the bar that is shown after a tap; `ask` says whether its “Undo” was tapped. Returns why it cannot be undone.
func offerUndo(_ innsync: any InnSync, ask: (_ command: String) async -> Bool) async throws -> String? {
    guard let last = try await innsync.undoable(), await ask(last.command) else { return nil }
    do {
        if try await innsync.undoable()?.operation == last.operation { try await innsync.undo() }
        return nil
    } catch InnSyncError.rejected(let rejection) {
        return rejection.message
    }
}
// README: end

// README: conflicts
/// False: somebody changed it once more, and the person must look again. Needs no network.
func settle(_ sheet: ConflictSheet, _ choice: Settlement, _ innsync: any InnSync) async throws -> Bool {
    do {
        try await innsync.settle(sheet.operation, seen: sheet.version, choice: choice)
        return true
    } catch InnSyncError.rejected(let rejection) where rejection.reason == .changedMeanwhile {
        return false
    }
}

/// Writes the newest value that lost after all, as an edit would.
func restoreNewest(_ innsync: any InnSync) async throws {
    let lost = try await innsync.conflicts().first().lost
    if let value = lost.first(where: \.restorable) { try await innsync.restore(value.conflict.id) }
}
// README: end

// README: diagnostics
func diagnosticsFile(of innsync: any InnSync, in folder: URL) async throws -> URL {
    let file = folder.appendingPathComponent("innsync.json")
    try await innsync.diagnostics().write(to: file, atomically: true, encoding: .utf8)
    return file
}
// README: end

#if canImport(SwiftUI)
    // README: my tasks
    import SwiftUI

    @available(iOS 17, macOS 14, *)
    struct MyTasksView: View {
        let innsync: any InnSync
        @State private var tasks: Watched<MyTasks>
        @State private var line: Watched<SyncLine>

        init(innsync: any InnSync) {
            self.innsync = innsync
            _tasks = State(initialValue: Watched(innsync.myTasks()))
            _line = State(initialValue: Watched(innsync.syncLine()))
        }

        var body: some View {
            List(tasks.value?.tasks ?? [], id: \.task.id) { card in
                Button(card.task.title) {
                    Task { try await complete(card.task, innsync) }
                }
                .badge(card.unsent ? "not yet sent" : card.suiteNumber ?? "")
            }
            .safeAreaInset(edge: .bottom) {
                if let line = line.value { Text("\(line.pending) changes to be sent") }
            }
            .task { await tasks.run() }
            .task { await line.run() }
        }
    }
// README: end
#endif

@Suite("README")
struct ReadmeTests {
    @Test("Its snippets are those that are compiled here", arguments: ["../../../README.md", article])
    func snippets(_ path: String) throws {
        let here = URL(fileURLWithPath: #filePath)
        let file = URL(fileURLWithPath: path, relativeTo: here.deletingLastPathComponent().appendingPathComponent(""))
        let shown = try swift(in: String(contentsOf: file, encoding: .utf8))
        let compiled = try regions(of: String(contentsOf: here, encoding: .utf8))
        #expect(compiled.count == 7)
        #expect(Set(shown) == Set(compiled))
    }

    @Test("Ana completes a task without a network, as the README says")
    func completes() async throws {
        try await Motel.story { motel in
            let folder = motel.home.appendingPathComponent("readme")
            var innsync = try await openInnSync(server: motel.server.url, directory: folder, password: Motel.password)
            try await innsync.upToDate(within: patience)
            let card = try #require(try await innsync.unassigned().first().tasks.first)
            try await innsync.execute(.takeTask(taskId: card.task.id))
            try await innsync.execute(.startTask(taskId: card.task.id))
            try await innsync.upToDate(within: patience)

            motel.server.kill()
            try await innsync.close()
            innsync = try await openInnSync(server: motel.server.url, directory: folder, password: nil)
            #expect(try await innsync.myTasks().first().tasks.map(\.task.id) == [card.task.id])
            try await complete(card.task, innsync)
            #expect(try await innsync.myTasks().first().tasks.isEmpty)
            #expect(try innsync.status().pendingChanges == 1)

            let attachment = try await diagnosticsFile(of: innsync, in: motel.home)
            #expect(try String(contentsOf: attachment, encoding: .utf8).contains("COMPLETE_TASK"))

            try motel.server.restart()
            let (keys, told) = AsyncStream<String>.makeStream()
            let showing = Task { [innsync] in try await showEffects(of: innsync) { told.yield($0) } }
            for await key in keys where key == "sync.done" { break }
            try await innsync.upToDate(within: patience)
            #expect(try innsync.status().pendingChanges == 0)
            try await innsync.close()
            try await showing.value
        }
    }

    @Test("Sam settles a conflict by the sheet that he saw last, and maria restores hers")  // G8
    func settles() async throws {
        try await Motel.story { motel in
            let (sam, maria) = (try await motel.phone("sam"), try await motel.phone("maria"))
            let towels = Command.createTask(
                taskId: try maria.innsync.newID(), title: "Two towels", description: "", taskType: .general,
                priority: .normal, suiteId: nil, assignedTo: nil, dueAt: nil, severity: nil)
            try await maria.innsync.execute(towels)
            #expect(try await becomes { try await sam.task("Two towels") != nil })
            try await sam.goOffline()
            try await sam.renames("Two towels", "Ten towels")
            try await maria.renames("Two towels", "Four towels")
            try await maria.innsync.upToDate(within: patience)
            try await sam.goOnline()
            #expect(try await becomes { try await sam.innsync.conflicts().first().open.count == 1 })
            let stale = try #require(try await sam.innsync.conflicts().first().open.first)
            try await maria.renames("Four towels", "Five towels")
            #expect(
                try await becomes { try await sam.innsync.conflicts().first().open.first?.version != stale.version })
            let sheet = try #require(try await sam.innsync.conflicts().first().open.first)
            #expect(try await settle(stale, .mine, sam.innsync) == false)
            #expect(try await settle(sheet, .mine, sam.innsync))
            #expect(try await becomes { try await maria.task("Ten towels") != nil })
            #expect(try await becomes { try await !maria.innsync.conflicts().first().lost.isEmpty })
            let lost = try #require(try await maria.innsync.conflicts().first().lost.first)
            #expect(lost.conflict.lost == #""Five towels""# && lost.keptByName == "Sam")
            try await restoreNewest(maria.innsync)
            #expect(try await becomes { try await sam.task("Five towels") != nil })
            try await maria.close()
            try await sam.close()
        }
    }

    @Test("Sam takes back what he did by mistake, but not over what maria did since")
    func undoes() async throws {
        try await Motel.story { motel in
            let (sam, maria) = (try await motel.phone("sam"), try await motel.phone("maria"))
            let towels = Command.createTask(
                taskId: try maria.innsync.newID(), title: "Two towels", description: "", taskType: .general,
                priority: .normal, suiteId: nil, assignedTo: nil, dueAt: nil, severity: nil)
            try await maria.innsync.execute(towels)
            #expect(try await becomes { try await sam.task("Two towels") != nil })
            try await sam.renames("Two towels", "Ten towels")
            #expect(try await becomes { try await maria.task("Ten towels") != nil })
            #expect(try await offerUndo(sam.innsync) { _ in false } == nil)
            #expect(try await sam.task("Ten towels") != nil)
            #expect(try await offerUndo(sam.innsync) { $0 == "EDIT_TASK" } == nil)
            #expect(try await becomes { try await maria.task("Two towels") != nil })
            try await sam.renames("Two towels", "Six towels")
            #expect(try await becomes { try await maria.task("Six towels") != nil })
            try await maria.renames("Six towels", "Five towels")
            #expect(try await becomes { try await sam.task("Five towels") != nil })
            let why = try #require(try await offerUndo(sam.innsync) { _ in true })
            #expect(why.contains("changed"))
            try await sam.innsync.upToDate(within: patience)
            #expect(try await sam.task("Five towels") != nil)
            try await maria.close()
            try await sam.close()
        }
    }

    @Test("What was done while the bar was shown is not taken back for another")
    func undoesThatOne() async throws {
        let innsync = FakeInnSync()
        let (first, second) = (Command.takeTask(taskId: UUID()), Command.takeTask(taskId: UUID()))
        try await innsync.execute(first)
        #expect(try await offerUndo(innsync) { _ in (try? await innsync.execute(second)) != nil } == nil)
        #expect(try await innsync.outbox().count == 2)
        #expect(try await offerUndo(innsync) { $0 == "TAKE_TASK" } == nil)
        #expect(try await innsync.outbox().count == 1)
    }

    private static let article = "../../Sources/InnSyncKit/InnSyncKit.docc/AnAppInTenMinutes.md"

    /// The blocks of Swift in a page, those of a shell or a manifest apart.
    private func swift(in page: String) -> [String] {
        page.components(separatedBy: "```swift\n").dropFirst().map { $0.components(separatedBy: "```")[0] }
    }

    /// What stands here between the marks, as far left as it goes.
    private func regions(of source: String) -> [String] {
        var regions: [String] = []
        var region: [String]?
        for line in source.components(separatedBy: "\n") {
            let bare = line.trimmingCharacters(in: .whitespaces)
            if bare == "// README: end" {
                let lines = region ?? []
                let margin = lines.filter { !$0.isEmpty }.map { $0.prefix { $0 == " " }.count }.min() ?? 0
                regions.append(lines.map { $0.dropFirst(margin) + "\n" }.joined())
                region = nil
            } else if bare.hasPrefix("// README: ") {
                region = []
            } else {
                region?.append(line)
            }
        }
        return regions
    }
}

extension Phone {
    fileprivate func renames(_ title: String, _ other: String) async throws {
        try await innsync.execute(.editTask(taskId: knownTask(title).id, patch: TaskPatch(title: other)))
    }
}
