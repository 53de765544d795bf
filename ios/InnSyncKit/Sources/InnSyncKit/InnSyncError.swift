import Foundation
import InnSyncCore

/// Why a call failed. Each case is something that the app does; details are in the log.
public enum InnSyncError: Error, Equatable, Sendable {
    /// Ask for name and password. What is on the phone stays usable.
    case signInRequired
    /// The call needs the server, and it does not answer: try again when there is a network.
    case offline
    /// Whoever answers has no certificate that this phone trusts: a wrong address, a clock that is off, a Wi-Fi that wants
    /// a sign-in, or a private certificate that the settings lack.
    case serverNotTrusted(detail: String)
    /// Ask for an update of the app: the server, or the database on the phone, is of a newer release.
    case updateRequired
    /// Ask to free some space. Nothing was written, nothing saved earlier is lost.
    case storageFull
    /// The database on the phone is damaged: offer to begin anew.
    case storageCorrupt
    /// The same person's database is open already: use or close that one.
    case alreadyOpen
    /// The command is refused at once, with nothing changed: tell why.
    case rejected(Rejection)
    /// The operation has left the phone, and may be carried out already: it cannot be discarded, only undone.
    case alreadySent
    /// The caller gave something that cannot be used: a mistake in the app.
    case invalidInput(detail: String)
    /// The ``TokenStore`` failed: ask the person to unlock the phone and to try again. Whoever was signed in still is, and
    /// nothing on the phone is lost.
    case tokenStoreFailed(detail: String)
    /// It did not happen within the time given; it may still happen.
    case timeout
    /// The handle was closed.
    case closed
    /// A mistake in InnSync, also a panic in its core: the next call works. The id is in the log, too.
    case bug(id: String)
}

extension InnSyncError {
    /// Whatever a call of the core threw.
    init(_ error: any Error) {
        switch error {
        case let error as InnSyncError: self = error
        case let error as InnSyncCore.InnSyncError: self.init(core: error)
        default: self = .bug(id: String(describing: error))
        }
    }

    private init(core error: InnSyncCore.InnSyncError) {
        switch error {
        case .SignInRequired: self = .signInRequired
        case .Offline: self = .offline
        case .ServerNotTrusted(let detail): self = .serverNotTrusted(detail: detail)
        case .UpdateRequired: self = .updateRequired
        case .StorageFull: self = .storageFull
        case .StorageCorrupt: self = .storageCorrupt
        case .AlreadyOpen: self = .alreadyOpen
        case .Rejected(let rejection): self = .rejected(rejection)
        case .AlreadySent: self = .alreadySent
        case .InvalidInput(let detail): self = .invalidInput(detail: detail)
        case .TokenStoreFailed(let detail): self = .tokenStoreFailed(detail: detail)
        case .Timeout: self = .timeout
        case .Closed: self = .closed
        case .Bug(let id): self = .bug(id: id)
        }
    }
}

extension InnSyncError: LocalizedError {
    /// What happened, in one English sentence.
    public var errorDescription: String? {
        switch self {
        case .signInRequired: "You need to sign in."
        case .offline: "The server cannot be reached."
        case .serverNotTrusted: "The server's certificate is not trusted."
        case .updateRequired: "This release of the app is too old."
        case .storageFull: "The phone's storage is full."
        case .storageCorrupt: "The app's data on this phone is damaged."
        case .alreadyOpen: "This account is already open."
        case .rejected(let rejection): rejection.message
        case .alreadySent: "This change was already sent."
        case .invalidInput(let detail): "The app gave something that cannot be used: \(detail)."
        case .tokenStoreFailed: "The phone's key store does not work just now."
        case .timeout: "It takes longer than expected."
        case .closed: "This account was closed."
        case .bug(let id): "Something went wrong inside the app (\(id))."
        }
    }

    /// What a person can do about it.
    public var recoverySuggestion: String? {
        switch self {
        case .signInRequired: "Check property, name and password. Changes saved on the phone are kept."
        case .offline: "Try again when there is a network. Changes saved on the phone are sent by themselves."
        case .serverNotTrusted(let detail):
            "Check the phone's date, and whether the Wi-Fi wants a sign-in. (\(detail))"
        case .updateRequired: "Update the app. Changes saved on the phone are kept."
        case .storageFull: "Free some space and try again. Nothing that was saved is lost."
        case .storageCorrupt: "Sign in anew to fetch the property's data again."
        case .alreadyOpen: "Close it where it is open."
        case .rejected, .invalidInput, .closed: nil
        case .alreadySent: "Wait until it is confirmed, then do the opposite."
        case .tokenStoreFailed(let detail): "Unlock the phone and try again. Nothing on the phone is lost. (\(detail))"
        case .timeout: "It may still happen. The sync line tells how far it is."
        case .bug: "Try again. If it happens again, tell support the code in brackets."
        }
    }
}

/// Does something that calls the core; what it throws becomes ``InnSyncError``.
func told<Value>(_ work: () throws -> Value) throws -> Value {
    do {
        return try work()
    } catch {
        throw InnSyncError(error)
    }
}

/// As the other, of something that takes its time.
func told<Value: Sendable>(_ work: @Sendable () async throws -> Value) async throws -> Value {
    do {
        return try await work()
    } catch let cancelled as CancellationError {
        throw cancelled
    } catch {
        throw InnSyncError(error)
    }
}
