// What InnSync costs through Swift: on a real library, database and server, on this machine.
//
//   INNSYNC_SERVER=path/to/innsync-server ios/swift-run.sh swift run -c release InnSyncBench

import Foundation
import InnSyncKit

let patience = Duration.seconds(120)
let rows = 1_000
let rounds = 100

/// A time in milliseconds, as the table shows it.
func milliseconds(_ duration: Duration) -> Double {
    let (seconds, attoseconds) = duration.components
    return Double(seconds) * 1_000 + Double(attoseconds) / 1e15
}

func cell(_ number: Double) -> String {
    let text = String(format: "%.2f", number)
    return String(repeating: " ", count: max(0, 10 - text.count)) + text
}

func line(_ what: String, _ times: [Duration]) {
    let sorted = times.sorted()
    let (median, late) = (sorted[sorted.count / 2], sorted[sorted.count * 95 / 100])
    let name = what.padding(toLength: 46, withPad: " ", startingAt: 0)
    print("\(name)\(cell(milliseconds(median)))\(cell(milliseconds(late)))")
}

func note(_ title: String, by innsync: any InnSync) throws -> Command {
    .createNote(
        noteId: try innsync.newID(), title: title, content: "Something to be told to all staff.", suiteId: nil,
        taskId: nil, audience: .allStaff)
}

func measure(_ server: URL, _ home: URL) async throws {
    func phone(_ person: String) async throws -> any InnSync {
        let settings = InnSyncSettings(
            server: server, property: "seaside", person: person, directory: home.appendingPathComponent(person))
        let innsync = try await InnSyncKit.signIn(settings, password: "demo")
        try innsync.connect()
        try await innsync.upToDate(within: patience)
        return innsync
    }
    let (sam, ana) = (try await phone("sam"), try await phone("ana"))
    let query = Query(kind: .note, order: .oldest)
    print("                                                  median ms    95 % ms")

    // From the call to the list that has it.
    var lists = sam.live(query).makeAsyncIterator()
    _ = try await lists.next()
    var saved: [Duration] = []
    var shown: [Duration] = []
    for round in 1...rounds {
        let begun = ContinuousClock.now
        try await sam.execute(note("Round \(round)", by: sam))
        saved.append(ContinuousClock.now - begun)
        while let list = try await lists.next(), list.count < round {}
        shown.append(ContinuousClock.now - begun)
    }
    line("command: saved on disk", saved)
    line("command: shown by an observer", shown)

    // Ana is away while a thousand are written; what she is told when she comes back waits to be taken.
    try ana.disconnect()
    for number in rounds..<rows {
        try await sam.execute(note("Note \(number)", by: sam))
    }
    try await sam.upToDate(within: patience)
    let events = ana.events()
    try ana.connect()
    try await ana.upToDate(within: patience)

    var first: [Duration] = []
    for _ in 1...20 {
        let begun = ContinuousClock.now
        guard try await ana.live(query).first().count == rows else { fatalError("some are missing") }
        first.append(ContinuousClock.now - begun)
    }
    line("list of 1,000 rows: first load", first)

    let list = ana.live(query)
    var following = list.makeAsyncIterator()
    let notes = try await following.next()?.notes ?? []
    var changed: [Duration] = []
    for note in notes.filter({ $0.title.hasPrefix("Round") }).prefix(rounds) {
        let title = "Changed \(note.title)"
        let patch = NotePatch(title: title, content: nil, suiteId: nil, taskId: nil, audience: nil)
        let begun = ContinuousClock.now
        try await sam.execute(.editNote(noteId: note.id, patch: patch))
        while let list = try await following.next() {
            if list.notes.contains(where: { $0.title == title }) { break }
        }
        changed.append(ContinuousClock.now - begun)
    }
    line("list of 1,000 rows: sam's change on ana's list", changed)

    // What waits, taken as fast as it goes: the cost of the border alone.
    let begun = ContinuousClock.now
    var taken = 0
    for try await event in events {
        if event.name == "ENTITY_CREATED" { taken += 1 }
        if taken == rows - rounds { break }
    }
    let seconds = milliseconds(ContinuousClock.now - begun) / 1_000
    print("events taken: \(taken), \(Int(Double(taken) / seconds)) a second")
    try await sam.close()
    try await ana.close()
}

guard let program = ProcessInfo.processInfo.environment["INNSYNC_SERVER"], !program.isEmpty else {
    fatalError("INNSYNC_SERVER must name the server's program")
}
let home = FileManager.default.temporaryDirectory.appendingPathComponent("innsync-\(UUID().uuidString)")
try FileManager.default.createDirectory(at: home, withIntermediateDirectories: true)
let server = Process()
let output = Pipe()
server.executableURL = URL(fileURLWithPath: program)
server.arguments = [
    "serve", "--demo", "--listen", "127.0.0.1:0", "--data", home.appendingPathComponent("ledger.sqlite").path,
]
server.environment = ["RUST_LOG": "error"]
server.standardOutput = output
try server.run()
let said = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
let word = said.split(whereSeparator: \.isWhitespace).first { $0.hasPrefix("http://") }
guard let url = word.flatMap({ URL(string: String($0)) }) else { fatalError("the server did not start: \(said)") }

do {
    try await measure(url, home)
} catch {
    print("the measurement failed: \(error)")
}
server.terminate()
try? FileManager.default.removeItem(at: home)
