import Foundation
import Testing

@testable import InnSyncKit

@Suite("Commands")
struct CommandTests {
    @Test("Ana's notes are kept although she left the screen while saving")
    func cancelledExecute() async throws {
        try await Motel.story { motel in
            let ana = try await motel.phone("ana", online: false)
            let saving = (1...20).map { number in
                let task = Task { try await ana.writes("Note \(number)") }
                task.cancel()
                return task
            }
            for task in saving { _ = try await task.value }
            #expect(try await ana.innsync.outbox().count == 20)
            #expect(try await ana.notes("Note 20").count == 1)
            try await ana.close()
        }
    }

    @Test("Ana waits for a confirmation that cannot come, and leaves at once")
    func cancelledWaiting() async throws {
        try await Motel.story { motel in
            let ana = try await motel.phone("ana", online: false)
            let operation = try await ana.writes("Towels").id
            let begun = ContinuousClock.now
            let waiting = [
                Task { _ = try await ana.innsync.settled(operation, within: .seconds(3_600)) },
                Task { try await ana.innsync.upToDate(within: .seconds(3_600)) },
            ]
            for task in waiting {
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
            }
            #expect(ContinuousClock.now - begun < patience)
            await #expect(throws: InnSyncError.timeout) {
                try await ana.innsync.settled(operation, within: .milliseconds(1))
            }
            try await ana.close()
        }
    }

    @Test("Miguel's second note waits for his first, and both are confirmed in that order")
    func dependsOn() async throws {
        try await Motel.story { motel in
            let miguel = try await motel.phone("miguel", online: false)
            let first = try await miguel.writes("Lamp")
            let second = try await miguel.writes("Lamp, again", after: [first.id])
            #expect(try await miguel.innsync.outbox().map(\.dependsOn) == [[], [first.id]])
            #expect(second.command == "CREATE_NOTE" && second.state == .queued)
            #expect(try await miguel.innsync.whyWaiting(second.id) != nil)
            try await miguel.goOnline()
            #expect(try await miguel.innsync.settled(first.id, within: patience) == .confirmed)
            #expect(try await miguel.innsync.settled(second.id, within: patience) == .confirmed)
            #expect(try await miguel.innsync.outbox().isEmpty)
            #expect(try await miguel.innsync.whyWaiting(second.id) == nil)
            try await miguel.close()
        }
    }

    @Test("What is refused says why, in words for a person")
    func refused() async throws {
        try await Motel.story { motel in
            let ana = try await motel.phone("ana")
            let suite = try await ana.suite("203")
            do {
                try await ana.innsync.execute(.setSuiteStatus(suiteId: suite.id, status: .outOfService))
                Issue.record("it must be refused")
            } catch let error as InnSyncError {
                guard case .rejected(let rejection) = error else { throw error }
                #expect(rejection.reason == .forbidden)
                #expect(error.localizedDescription == rejection.message)
                #expect(!rejection.message.isEmpty)
            }
            let reference = EntityRef(kind: .suite, id: suite.id)
            #expect(try await ana.innsync.get(reference) == .ofSuite(value: suite))
            #expect(try await ana.innsync.get(EntityRef(kind: .suite, id: UUID())) == nil)
            try await ana.close()
        }
    }
}
