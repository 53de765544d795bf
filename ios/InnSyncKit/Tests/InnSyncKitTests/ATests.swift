import Testing
import InnSyncKit
@Test func a() { _Concurrency.Task { } ; let t: Task<Void, Never> = Task {} ; _ = t }
