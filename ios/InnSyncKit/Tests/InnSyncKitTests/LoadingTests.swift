import Foundation
import Testing

@testable import InnSyncKit

@Suite("Loading")
struct LoadingTests {
    @Test("A core of another build is refused, with what to do about it")
    func otherBuild() throws {
        let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        // Any program with the core in it.
        var program = try Data(contentsOf: package.appendingPathComponent(".build/debug/InnSyncBench"))
        let mark = try #require(program.range(of: Data("innsync-facade-digest:".utf8)))
        program.replaceSubrange(mark.upperBound..<mark.upperBound + 16, with: Data("0000000000000000".utf8))
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("loading-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (other, server) = (folder.appendingPathComponent("other"), folder.appendingPathComponent("server"))
        try program.write(to: other)
        // It comes no further than to the core's first call.
        try Data("#!/bin/sh\necho http://127.0.0.1:9\n".utf8).write(to: server)
        for file in [other, server] {
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file.path)
        }

        let process = Process()
        let errors = Pipe()
        process.executableURL = other
        process.environment = ["INNSYNC_SERVER": server.path, "SWIFT_BACKTRACE": "enable=no"]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = errors
        try process.run()
        let said = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationReason == .uncaughtSignal)
        #expect(said.contains("of different builds: run `cargo xtask bindings`"))
    }
}
