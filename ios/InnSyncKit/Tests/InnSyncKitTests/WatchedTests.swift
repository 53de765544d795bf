#if canImport(Observation)
    import InnSyncKit
    import Testing

    @Suite("Watched")
    struct WatchedTests {
        @Test("It has the newest element until its task is cancelled")
        @MainActor
        @available(iOS 17, macOS 14, *)
        func follows() async throws {
            let innsync = FakeInnSync()
            let tasks = Watched(innsync.myTasks())
            #expect(tasks.value == nil)
            let running = Task { await tasks.run() }
            let isEmpty = try await becomes { tasks.value?.tasks.isEmpty == true }
            #expect(isEmpty)
            innsync.show(MyTasks(tasks: [.preview(title: "Clean suite 101")]))
            let hasOne = try await becomes { tasks.value?.tasks.count == 1 }
            #expect(hasOne)
            running.cancel()
            await running.value
            #expect(tasks.error == nil)
        }
    }
#endif
