import Foundation
import Testing

@testable import InnSyncKit

@Suite("Errors")
struct ErrorTests {
    @Test("A panic in the core is a bug with an id, and the next call works")
    func bug() async throws {
        for _ in 1...3 {
            do {
                try InnSyncKit.raiseTestBug()
                Issue.record("it must throw")
            } catch InnSyncError.bug(let id) {
                #expect(id.count == 8)
            }
        }
        let nowhere = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        #expect(try InnSyncKit.accounts(in: nowhere).isEmpty)
    }

    @Test("Support finds the bug in the log by its id")
    func logOfBug() async throws {
        let log = InnSyncKit.logLines(.error)
        do {
            try InnSyncKit.raiseTestBug()
        } catch InnSyncError.bug(let id) {
            for try await line in log where line.message.contains("bug=\(id)") {
                #expect(line.level == .error)
                #expect(line.message.hasSuffix("detail=raised on purpose, to try the reporting of bugs"))
                break
            }
        }
    }

    @Test("Ana's log tells how she was connected, and not with what")
    func logOfAna() async throws {
        try await Motel.story { motel in
            let ana = try await motel.phone("ana", online: false)
            let log = ana.innsync.logLines(.debug)
            let reading = Task {
                var lines: [LogLine] = []
                for try await line in log { lines.append(line) }
                return lines
            }
            try await ana.goOnline()
            try await ana.writes("Minibar-canary")
            try await ana.innsync.upToDate(within: patience)
            try await ana.close()
            let messages: [String] = try await reading.value.map { $0.message }
            #expect(messages.contains("connection state=CONNECTED"))
            #expect(messages.contains("HTTP method=POST path=/v1/ops status=200"))
            let kept = try JSONDecoder().decode(JSON.self, from: Data(#require(ana.tokens.kept.first).utf8))
            var secrets: [String] = [Motel.password, "canary"]
            for token in ["access_token", "refresh_token"] { secrets.append(try #require(kept[token]?.text)) }
            let all = messages.joined(separator: "\n")
            for secret in secrets { #expect(!all.contains(secret)) }
        }
    }

    @Test("While her phone cannot keep tokens Ana cannot sign in, and is told why", arguments: [true, false])
    func unkeptTokens(isTyped: Bool) async throws {
        try await Motel.story { motel in
            do {
                _ = try await InnSyncKit.signIn(
                    motel.settings("ana"), password: Motel.password, tokens: BrokenTokens(isTyped: isTyped))
                Issue.record("it must throw")
            } catch let error as InnSyncError {
                guard case .tokenStoreFailed(let detail) = error else { throw error }
                #expect(detail.contains(isTyped ? "the phone is locked" : "Odd"))
                #expect(error.recoverySuggestion?.hasPrefix("Unlock the phone and try again.") == true)
            }
            #expect(try InnSyncKit.accounts(in: motel.home.appendingPathComponent("ana")).isEmpty)
            // With one that works she can sign in at once.
            try await motel.phone("ana").close()
        }
    }

    @Test("Ana stays signed in when her phone cannot replace or forget the tokens")
    func stuckTokens() async throws {
        try await Motel.story { motel in
            let locked = InnSyncError.tokenStoreFailed(detail: "the phone is locked")
            let ana = try await motel.phone("ana")
            try await ana.writes("Minibar")
            ana.tokens.isLocked = true
            await #expect(throws: locked) { try await ana.innsync.signInAgain(password: Motel.password) }
            await #expect(throws: locked) { try await ana.innsync.signOut(.keep) }
            ana.tokens.isLocked = false
            // The phone is open, and she is signed in on the server too.
            try await ana.writes("Towels")
            try await ana.goOffline()
            try await ana.goOnline()
            #expect(try !ana.innsync.status().needsSignIn)
            try await ana.innsync.signOut(.keep)
            let again = try await InnSyncKit.open(motel.settings("ana"), tokens: ana.tokens)
            #expect(try again.status().needsSignIn)
            try await again.close()
        }
    }

    @Test("Tokens that cannot be read do not keep Ana from her data: she is asked to sign in")
    func unreadableTokens() async throws {
        try await Motel.story { motel in
            let ana = try await motel.phone("ana")
            try await ana.close()
            let innsync = try await InnSyncKit.open(motel.settings("ana"), tokens: BrokenTokens(isTyped: true))
            #expect(try await innsync.query(Query(kind: .suite)).count == 20)
            try innsync.connect()
            #expect(try await becomes { try innsync.status().needsSignIn })
            try await innsync.close()
        }
    }

    @Test("Without a server signing in says so")
    func offline() async throws {
        try await Motel.story { motel in
            motel.server.kill()
            await #expect(throws: InnSyncError.offline) { try await motel.phone("ana") }
        }
    }

    @Test("Each error has words for a person")
    func words() {
        let rejection = Rejection(
            class: .permanent, reason: .forbidden, message: "Only managers may do that.", entity: nil, field: nil)
        let all: [InnSyncError] = [
            .signInRequired, .offline, .serverNotTrusted(detail: "self-signed"), .updateRequired, .storageFull,
            .storageCorrupt, .alreadyOpen, .rejected(rejection), .alreadySent, .invalidInput(detail: "no device"),
            .tokenStoreFailed(detail: "locked"), .timeout, .closed, .bug(id: "0a1b2c3d"),
        ]
        for error in all {
            #expect(error.localizedDescription.hasSuffix("."))
            #expect(error.errorDescription == error.localizedDescription)
            #expect(error.recoverySuggestion != "")
        }
        #expect(InnSyncError.rejected(rejection).localizedDescription == "Only managers may do that.")
    }
}

/// A token store whose every call fails.
private final class BrokenTokens: TokenStore {
    private struct Odd: Error {}
    private let isTyped: Bool

    init(isTyped: Bool) {
        self.isTyped = isTyped
    }

    func load(account: String) throws -> String? { throw failure }
    func save(account: String, tokens: String) throws { throw failure }
    func clear(account: String) throws { throw failure }

    private var failure: any Error {
        isTyped ? TokenStoreError.Failed(detail: "the phone is locked") : Odd()
    }
}
