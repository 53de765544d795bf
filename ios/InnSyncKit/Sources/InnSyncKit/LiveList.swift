import InnSyncCore

/// Turns a live query's updates into whole lists, one for each batch.
///
/// The list that a batch leads to becomes the base of the next one only when the batch is acknowledged: a batch that comes
/// again is applied to the same list again.
func lists(
    from ask: @escaping Pull<Update>.Ask, stop: @escaping @Sendable () -> Void
) -> Pull<[Entity]> {
    let state = Locked((base: [Entity](), list: [Entity](), number: UInt64(0)))
    return Pull { acknowledged in
        guard let batch = try await ask(acknowledged) else { return nil }
        let list = state.with { state in
            if acknowledged == state.number { state.base = state.list }
            state.list = state.base.applying(batch.items)
            state.number = batch.number
            return state.list
        }
        return Batch(number: batch.number, items: [list])
    } stop: {
        stop()
    }
}

extension [Entity] {
    /// The list after those updates.
    func applying(_ updates: [Update]) -> [Entity] {
        var list = self
        for update in updates {
            switch update {
            case .reset(let rows): list = rows
            case .diff(let changes): changes.forEach { list.apply($0) }
            }
        }
        return list
    }

    private mutating func apply(_ change: Change) {
        switch change {
        case .insert(let at, let entity): insert(entity, at: Int(at))
        case .replace(let at, let entity): self[Int(at)] = entity
        case .remove(let at): remove(at: Int(at))
        }
    }
}

extension Sequence<Entity> {
    /// The suites among them.
    public var suites: [Suite] {
        compactMap { if case .ofSuite(let value) = $0 { value } else { nil } }
    }

    /// The tasks among them.
    public var tasks: [MotelTask] {
        compactMap { if case .ofTask(let value) = $0 { value } else { nil } }
    }

    /// The people among them.
    public var employees: [Employee] {
        compactMap { if case .ofEmployee(let value) = $0 { value } else { nil } }
    }

    /// The notes among them.
    public var notes: [Note] {
        compactMap { if case .ofNote(let value) = $0 { value } else { nil } }
    }

    /// The notifications among them.
    public var notifications: [MotelNotification] {
        compactMap { if case .ofNotification(let value) = $0 { value } else { nil } }
    }

    /// The alerts among them.
    public var alerts: [Alert] {
        compactMap { if case .ofAlert(let value) = $0 { value } else { nil } }
    }

    /// The values that lost among them.
    public var conflicts: [Conflict] {
        compactMap { if case .ofConflict(let value) = $0 { value } else { nil } }
    }

    /// The announcements among them.
    public var announcements: [Announcement] {
        compactMap { if case .ofAnnouncement(let value) = $0 { value } else { nil } }
    }
}
