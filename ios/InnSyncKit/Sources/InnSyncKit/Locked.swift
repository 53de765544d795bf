import Foundation

/// A value behind a lock. (`Synchronization.Mutex` needs newer systems than InnSync does.)
final class Locked<Value>: @unchecked Sendable {
    private let lock = NSLock()
    private var value: Value

    init(_ value: sending Value) {
        self.value = value
    }

    /// Does something with the value. What is given must not come back to the same lock.
    func with<Result>(_ work: (inout Value) throws -> Result) rethrows -> Result {
        lock.lock()
        defer { lock.unlock() }
        return try work(&value)
    }
}
