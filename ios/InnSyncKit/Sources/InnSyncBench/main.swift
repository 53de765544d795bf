// What InnSync costs through Swift: on a real library, database and server, on this machine. The benchmarks of Rust and
// Kotlin do the same in the same order and print the same lines, of which `cargo xtask bench` makes a table.
//
//   INNSYNC_SERVER=path/to/innsync-server ios/swift-run.sh swift run -c release InnSyncBench

import Foundation
import InnSyncKit

let patience = Duration.seconds(300)
let notes = Query(kind: .note)
let commands = 200
let rows = 1_000
let taken = 900
let loads = 30
let changes = 50
let calls = 20_000
let openings = 10_000

func milliseconds(_ duration: Duration) -> Double {
    let (seconds, attoseconds) = duration.components
    return Double(seconds) * 1_000 + Double(attoseconds) / 1e15
}

func quantile(_ share: Double, of times: some Collection<Duration>) -> Double {
    let sorted = times.sorted()
    return milliseconds(sorted[min(Int(share * Double(sorted.count)), sorted.count - 1)])
}

func measured(_ what: String, _ unit: String, _ figure: Double) {
    print("measured|\(what)|\(unit)|\(figure)")
}

/// What the process holds, in MB.
func memory() throws -> Double {
    let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") } ?? ""
    return (Double(line.filter(\.isNumber)) ?? .nan) / 1_024
}

func write(_ title: String, on innsync: any InnSync) async throws {
    try await innsync.execute(
        .createNote(
            noteId: try innsync.newID(), title: title, content: "Something to be told to all staff.", suiteId: nil,
            taskId: nil, audience: .allStaff))
}

func commandToObserver(_ sam: any InnSync) async throws {
    var lists = sam.live(notes).makeAsyncIterator()
    _ = try await lists.next()
    var times: [Duration] = []
    for number in 1...commands {
        let begun = ContinuousClock.now
        try await write("Note \(number)", on: sam)
        while let list = try await lists.next(), list.count < number {}
        times.append(ContinuousClock.now - begun)
    }
    let steady = times.dropFirst(commands / 10)
    measured("command to observer, p50", "ms", quantile(0.5, of: steady))
    measured("command to observer, p95", "ms", quantile(0.95, of: steady))
}

func list(_ sam: any InnSync) async throws {
    for number in commands..<rows {
        try await write("More \(number)", on: sam)
    }
    var first: [Duration] = []
    for _ in 1...loads {
        let begun = ContinuousClock.now
        guard try await sam.live(notes).first().count == rows else { fatalError("some are missing") }
        first.append(ContinuousClock.now - begun)
    }
    measured("list of 1,000 rows, first load", "ms", quantile(0.5, of: first.dropFirst(loads / 10)))

    let live = sam.live(notes)
    var lists = live.makeAsyncIterator()
    var times: [Duration] = []
    let ids = try await lists.next()?.notes.prefix(changes).map(\.id) ?? []
    for (round, id) in ids.enumerated() {
        let title = "Changed \(round)"
        let begun = ContinuousClock.now
        try await sam.execute(
            .editNote(
                noteId: id, patch: NotePatch(title: title, content: nil, suiteId: nil, taskId: nil, audience: nil)))
        while let list = try await lists.next() {
            if list.notes.contains(where: { $0.title == title }) { break }
        }
        times.append(ContinuousClock.now - begun)
    }
    measured("the same, one row changed", "ms", quantile(0.5, of: times.dropFirst(changes / 10)))
}

func answers(_ sam: any InnSync) async throws {
    let nobody = try sam.newID()
    let begun = ContinuousClock.now
    for _ in 1...calls {
        _ = try await sam.whyWaiting(nobody)
    }
    measured("a call and its answer", "µs", milliseconds(ContinuousClock.now - begun) * 1_000 / Double(calls))
}

/// What waits is taken as fast as it goes.
func events(_ sam: any InnSync, _ ana: any InnSync) async throws {
    let events = ana.events()
    for phone in [sam, ana] {
        try phone.connect()
        try await phone.upToDate(within: patience)
    }
    let begun = ContinuousClock.now
    var created = 0
    for try await event in events where event.name == "ENTITY_CREATED" {
        created += 1
        if created == taken { break }
    }
    measured("events taken", "1/s", Double(created) * 1_000 / milliseconds(ContinuousClock.now - begun))
}

func opened(_ open: () async throws -> any InnSync) async throws {
    // Until the allocators have grown: what each further one leaves is asked for.
    for _ in 1...openings / 4 {
        try await open().close()
    }
    let (before, begun) = (try memory(), ContinuousClock.now)
    for _ in 1...openings {
        try await open().close()
    }
    measured("opened and closed", "ms", milliseconds(ContinuousClock.now - begun) / Double(openings))
    measured("memory that 10,000 openings leave", "MB", try memory() - before)
}

func measure(_ server: URL, _ home: URL) async throws {
    func settings(_ person: String) -> InnSyncSettings {
        InnSyncSettings(
            server: server, property: "seaside", person: person, directory: home.appendingPathComponent(person))
    }
    func phone(_ person: String) async throws -> any InnSync {
        let innsync = try await InnSyncKit.signIn(settings(person), password: "demo")
        try innsync.connect()
        try await innsync.upToDate(within: patience)
        // What is measured is the phone alone.
        try innsync.disconnect()
        return innsync
    }
    let (sam, ana) = (try await phone("sam"), try await phone("ana"))
    try await commandToObserver(sam)
    try await list(sam)
    try await answers(sam)
    try await events(sam, ana)
    try await sam.close()
    try await ana.close()
    try await opened { try await InnSyncKit.open(settings("sam")) }
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

var failure: (any Error)?
do {
    try await measure(url, home)
} catch {
    failure = error
}
server.terminate()
try? FileManager.default.removeItem(at: home)
if let failure { fatalError("the measurement failed: \(failure)") }
