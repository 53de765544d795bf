import Foundation
import Testing

@testable import InnSyncKit

@Suite("Streams")
struct StreamTests {
    @Test("Ana is called away in the middle of a batch: all of it comes again")
    func batchComesAgain() async throws {
        try await Motel.story { motel in
            let ana = try await motel.phone("ana", online: false)
            let operations = ana.innsync.operations()
            var written: [UUID] = []
            for title in ["Towels", "Soap", "Minibar"] { written.append(try await ana.writes(title).id) }
            try await ana.goOnline()
            try await ana.goOffline()

            // Several changes wait now. She sees the first one, and is called away.
            let away = Task {
                var seen: [Receipt] = []
                for try await receipt in operations {
                    seen.append(receipt)
                    withUnsafeCurrentTask { $0?.cancel() }
                }
                return seen
            }
            let seen = try await away.value
            #expect(seen.count == 1)

            var back = operations.makeAsyncIterator()
            #expect(try await back.next() == seen.first)
            var confirmed: [UUID] = []
            while confirmed.count < written.count {
                let receipt = try #require(try await back.next())
                if receipt.state == nil { confirmed.append(receipt.id) }
            }
            #expect(confirmed == written)
            try await ana.close()
            // Taken when the next one is asked for: nothing comes a third time.
            #expect(try await back.next() == nil)
        }
    }

    @Test("Ana stops waiting at once, and nothing that happens afterwards is lost")
    func stopsWaiting() async throws {
        try await Motel.story { motel in
            let ana = try await motel.phone("ana")
            let operations = ana.innsync.operations()
            for title in ["Towels", "Soap"] {
                let waiting = Task {
                    for try await _ in operations {}
                }
                waiting.cancel()
                try await waiting.value

                let written = try await ana.writes(title).id
                for try await receipt in operations where receipt.id == written && receipt.state == nil { break }
            }
            try await ana.close()
        }
    }

    @Test("What was not shown before the phone was closed comes again, what was shown does not")
    func effectsSurvive() async throws {
        try await Motel.story { motel in
            let (maria, miguel) = (try await motel.phone("maria"), try await motel.phone("miguel", online: false))
            // Not the record that the phone keeps, which shows all at once.
            try await miguel.close()
            let settings = motel.settings("miguel")
            var innsync = try await InnSyncKit.open(settings, tokens: miguel.tokens)
            try innsync.connect()
            try await innsync.upToDate(within: patience)
            try await maria.innsync.execute(
                .createTask(
                    taskId: maria.innsync.newID(), title: "Repair the lamp", description: "", taskType: .maintenance,
                    priority: .normal, suiteId: nil, assignedTo: miguel.employee, dueAt: nil, severity: nil))

            let told = try await innsync.effects().first()
            try await innsync.close()
            innsync = try await InnSyncKit.open(settings, tokens: miguel.tokens)
            #expect(try await innsync.effects().first().id == told.id)
            try innsync.presented(told.id)
            try await innsync.close()
            innsync = try await InnSyncKit.open(settings, tokens: miguel.tokens)
            #expect(try await innsync.effects().first().id != told.id)
            try await innsync.close()
            try await maria.close()
        }
    }

    @Test("Sam's list of notes is the same by diffs as by asking")
    func liveLists() async throws {
        try await Motel.story { motel in
            let sam = try await motel.phone("sam", online: false)
            let query = Query(kind: .note, order: .oldest)
            let lists = sam.innsync.live(query)
            var shown = lists.makeAsyncIterator()
            #expect(try await shown.next() == [])
            for number in 1...6 {
                try await sam.writes("Note \(number)")
                let last = try await sam.innsync.query(query)
                if number == 3 {
                    try await sam.innsync.execute(.deleteNote(noteId: last.notes[1].id))
                }
                if number == 5 {
                    let patch = NotePatch(title: "Changed", content: nil, suiteId: nil, taskId: nil, audience: nil)
                    try await sam.innsync.execute(.editNote(noteId: last.notes[0].id, patch: patch))
                }
                // A loop that is left and begun again goes on from the same list.
                if number.isMultiple(of: 2) { shown = lists.makeAsyncIterator() }
                let wanted = try await sam.innsync.query(query)
                var list: [Entity]?
                repeat { list = try await shown.next() } while list != nil && list != wanted
                #expect(list == wanted)
            }
            #expect(try await sam.innsync.query(query).notes.map(\.title).contains("Changed"))
            try await sam.close()
        }
    }

    @Test("Streams end when the phone is closed")
    func end() async throws {
        try await Motel.story { motel in
            let ben = try await motel.phone("ben", online: false)
            let tasks = ben.innsync.myTasks()
            let following = Task {
                for try await _ in tasks {}
            }
            try await ben.close()
            try await following.value
            await #expect(throws: InnSyncError.closed) { try await ben.innsync.dashboard().first() }
        }
    }

    @Test("The core's stream is stopped when nobody has it any more, also while it is waited for")
    func stopped() async throws {
        let stopped = Locked(false)
        let (asked, ask) = AsyncStream<Void>.makeStream()
        var pull: Pull<Int>? = Pull { _ in
            ask.yield()
            while !stopped.with({ $0 }) { try await Task.sleep(for: .milliseconds(5)) }
            return nil
        } stop: {
            stopped.with { $0 = true }
        }
        let waiting = Task { [pull] in try await pull?.next()?.number }
        for await _ in asked { break }
        waiting.cancel()
        #expect(try await waiting.value == nil)
        #expect(!stopped.with { $0 })
        pull = nil
        #expect(try await becomes { stopped.with { $0 } })
    }

    @Test("A second consumer ends the first one's waiting")
    func second() async throws {
        let topic = Topic<Int>()
        let stream = topic.stream()
        let first = Task {
            for try await _ in stream {}
        }
        let second = Task { try await stream.first() }
        // Whoever came first has ended, or will when the other comes; the last one gets it.
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                while !Task.isCancelled {
                    topic.tell(101)
                    try? await Task.sleep(for: .milliseconds(5))
                }
            }
            _ = try? await second.value
            topic.end()
            try await first.value
            group.cancelAll()
        }
    }
}
