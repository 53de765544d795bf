import Foundation

@testable import InnSyncKit

/// The real server: a process of its own with the demo property, which can be killed and started again where it was.
final class ServerProcess: Sendable {
    let url: URL
    private let program: URL
    private let ledger: URL
    private let arguments: [String]
    private let process: Locked<Process?>

    /// Starts it on a free port, with its ledger in that folder.
    init(in folder: URL, arguments: [String] = []) throws {
        guard let path = ProcessInfo.processInfo.environment["INNSYNC_SERVER"], !path.isEmpty else {
            throw Trouble("INNSYNC_SERVER must name the server's program")
        }
        program = URL(fileURLWithPath: path)
        ledger = folder.appendingPathComponent("ledger.sqlite")
        self.arguments = arguments
        let (process, url) = try Self.start(program, ledger, "127.0.0.1:0", arguments)
        self.process = Locked(process)
        self.url = url
    }

    deinit {
        kill()
    }

    /// Kills it as a power cut would.
    func kill() {
        process.with { process in
            guard let running = process else { return }
            #if canImport(Glibc)
                _ = Glibc.kill(running.processIdentifier, SIGKILL)
            #else
                _ = Darwin.kill(running.processIdentifier, SIGKILL)
            #endif
            running.waitUntilExit()
            process = nil
        }
    }

    /// Starts it again at the same address, on what it had saved.
    func restart() throws {
        let address = url.absoluteString.replacingOccurrences(of: "http://", with: "")
        try process.with { $0 = try Self.start(program, ledger, address, arguments).process }
    }

    private static func start(
        _ program: URL, _ ledger: URL, _ listen: String, _ arguments: [String]
    ) throws -> (process: Process, url: URL) {
        let process = Process()
        let output = Pipe()
        process.executableURL = program
        process.arguments = ["serve", "--demo", "--listen", listen, "--data", ledger.path] + arguments
        process.environment = ["RUST_LOG": "error"]
        process.standardOutput = output
        try process.run()
        var first = ""
        while !first.contains("\n") {
            let data = output.fileHandleForReading.availableData
            if data.isEmpty { break }
            first += String(decoding: data, as: UTF8.self)
        }
        let word = first.split(whereSeparator: \.isWhitespace).first { $0.hasPrefix("http://") }
        guard let url = word.flatMap({ URL(string: String($0)) }) else {
            throw Trouble("the server did not start: \(first)")
        }
        return (process, url)
    }
}

/// Why a story could not be told.
struct Trouble: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
