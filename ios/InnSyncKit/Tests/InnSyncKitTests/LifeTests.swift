import Foundation
import Testing

@testable import InnSyncKit

@Suite("Life")
struct LifeTests {
    @Test("A phone that was closed can be opened at once, again and again")
    func closeAndOpen() async throws {
        try await Motel.story { motel in
            let ben = try await motel.phone("ben", online: false)
            let asked = ContinuousClock.now
            await #expect(throws: InnSyncError.alreadyOpen) {
                try await InnSyncKit.open(motel.settings("ben"), tokens: ben.tokens)
            }
            #expect(ContinuousClock.now - asked < .seconds(1), "he is told at once")
            for round in 1...5 {
                try await ben.writes("Round \(round)")
                try await ben.close()
                try await ben.open()
                #expect(try await ben.innsync.outbox().count == round)
            }
            try await ben.close()
        }
    }

    @Test("After closing, calls say that it is closed")
    func closed() async throws {
        try await Motel.story { motel in
            let ben = try await motel.phone("ben", online: false)
            let innsync = ben.innsync
            try await ben.close()
            try await innsync.close()
            await #expect(throws: InnSyncError.closed) { try await ben.writes("Too late") }
            await #expect(throws: InnSyncError.closed) { try await innsync.outbox() }
            await #expect(throws: InnSyncError.closed) { try await innsync.query(Query(kind: .suite)) }
            await #expect(throws: InnSyncError.closed) { try await innsync.upToDate(within: patience) }
        }
    }

    @Test("In the background the database is closed; what was done meanwhile is there afterwards")
    func background() async throws {
        try await Motel.story { motel in
            let (maria, ana) = (try await motel.phone("maria"), try await motel.phone("ana"))
            try await ana.innsync.quiesce()
            try await maria.writes("Party on Friday")
            try await maria.innsync.upToDate(within: patience)
            try await ana.innsync.resume()
            try ana.innsync.foreground()
            #expect(try await becomes { try await ana.notes("Party on Friday").count == 1 })
            try await ana.close()
            try await maria.close()
        }
    }

    @Test("What Ana just did is sent before she is quiet, and a push wakes her")
    func push() async throws {
        try await Motel.story { motel in
            let (maria, ana) = (try await motel.phone("maria"), try await motel.phone("ana"))
            try await ana.writes("Minibar")
            #expect(try await ana.innsync.background(within: patience) == .done)
            try await maria.innsync.upToDate(within: patience)
            #expect(try await maria.notes("Minibar").count == 1)

            try await maria.writes("Party on Friday")
            try await maria.innsync.upToDate(within: patience)
            #expect(try await ana.innsync.pushReceived("{}", within: patience) == .newData)
            #expect(try await ana.innsync.diagnostics().contains("\"quiet\": true"), "quiet as before")
            try await ana.innsync.resume()
            #expect(try await ana.notes("Party on Friday").count == 1)

            motel.server.kill()
            try await ana.writes("Later")
            let departure = try await ana.innsync.background(within: patience)
            guard case .left(operations: 1, why: .offline, _) = departure else {
                throw Trouble("there is nobody to send it to: \(departure)")
            }
            try await ana.close()
            try await maria.close()
        }
    }

    @Test("Ana signs out when all is sent; what is on the phone stays, her way in does not")
    func signOut() async throws {
        try await Motel.story { motel in
            let ana = try await motel.phone("ana")
            try await ana.writes("Last words")
            #expect(try InnSyncKit.accounts(in: motel.home.appendingPathComponent("ana")) == [ana.innsync.account])
            try await ana.innsync.signOut(.send(within: patience))
            await #expect(throws: InnSyncError.closed) { try await ana.innsync.outbox() }
            // Anew with the password: what she wrote was sent, and is there.
            let again = try await motel.phone("ana")
            #expect(try await again.notes("Last words").count == 1)
            #expect(try await again.innsync.outbox().isEmpty)
            try await again.close()
        }
    }

    @Test("Ana gives her password again")
    func signInAgain() async throws {
        try await Motel.story { motel in
            let ana = try await motel.phone("ana")
            await #expect(throws: InnSyncError.signInRequired) {
                try await ana.innsync.signInAgain(password: "pelican")
            }
            try await ana.innsync.signInAgain(password: Motel.password)
            try await ana.innsync.upToDate(within: patience)
            #expect(try !ana.innsync.status().needsSignIn)
            try await ana.close()
        }
    }
}
