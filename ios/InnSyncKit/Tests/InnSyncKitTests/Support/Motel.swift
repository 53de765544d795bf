import Foundation
import InnSyncKit

/// The Seaside Motel: a server of its own, and the phones of those who are at work.
final class Motel: Sendable {
    static let password = "demo"
    let server: ServerProcess
    let home: URL

    private init(arguments: [String]) throws {
        home = FileManager.default.temporaryDirectory.appendingPathComponent("innsync-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: home, withIntermediateDirectories: true)
        server = try ServerProcess(in: home, arguments: arguments)
    }

    /// Tells a story in a motel of its own, which is gone afterwards.
    static func story(arguments: [String] = [], _ story: (Motel) async throws -> Void) async throws {
        let motel = try Motel(arguments: arguments)
        defer {
            motel.server.kill()
            try? FileManager.default.removeItem(at: motel.home)
        }
        try await story(motel)
    }

    /// How that person's phone is opened; phones lie in folders of their own, unless they share one.
    func settings(_ person: String, folder: String? = nil) -> InnSyncSettings {
        InnSyncSettings(
            server: server.url, property: "seaside", person: person,
            directory: home.appendingPathComponent(folder ?? person), device: "\(person)-phone")
    }

    /// That person's phone, signed in and up to date; still connected unless said otherwise.
    func phone(_ person: String, folder: String? = nil, online: Bool = true) async throws -> Phone {
        let phone = try await Phone(person, settings(person, folder: folder))
        try await phone.goOnline()
        if !online { try await phone.goOffline() }
        return phone
    }
}

/// How long a test waits for what must become so. Nothing that works takes as long, also on a slow and busy machine.
let patience = Duration.seconds(30)

/// Waits until it holds, asking again every few milliseconds; false when the time ends.
func becomes(
    isolation: isolated (any Actor)? = #isolation, within limit: Duration = patience, _ holds: () async throws -> Bool
) async throws -> Bool {
    let deadline = ContinuousClock.now + limit
    while true {
        if try await holds() { return true }
        if ContinuousClock.now > deadline { return false }
        try await Task.sleep(for: .milliseconds(20))
    }
}
