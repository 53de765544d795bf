import Foundation
import InnSyncCore

/// Signs in with a password and opens the person's database; to be called as `InnSyncKit.signIn`.
///
/// - Parameters:
///   - settings: which server, property and person, and where to keep databases.
///   - password: is not kept.
///   - tokens: where to keep what proves who the person is; nil: in the Keychain, or where there is none in files that only
///     their owner may read.
/// - Throws: ``InnSyncError``: `signInRequired` (property, name or password wrong), `offline`, `serverNotTrusted`,
///   `updateRequired`, `tokenStoreFailed` (nobody is signed in, what is on the phone stays), and what ``open(_:tokens:)`` throws.
public func signIn(
    _ settings: InnSyncSettings, password: String, tokens: (any TokenStore)? = nil
) async throws -> any InnSync {
    try await told {
        let handle = try await InnSyncCore.signIn(
            settings: settings, password: password, tokens: tokens ?? platformTokens())
        return try LiveInnSync(handle)
    }
}

/// Opens the database of a person who has signed in on this phone before; to be called as `InnSyncKit.open`. Needs no
/// network.
///
/// One that a newer release of the app has written is opened for reading alone: the sync line is `updateRequired`, and so is
/// the error of whatever would write.
///
/// - Throws: ``InnSyncError``: `signInRequired` (never signed in here), `alreadyOpen`, `updateRequired`, `storageCorrupt`,
///   `storageFull`, `invalidInput`.
public func open(_ settings: InnSyncSettings, tokens: (any TokenStore)? = nil) async throws -> any InnSync {
    // Async, since it reads from disk: called from the main actor it runs elsewhere.
    try told { try LiveInnSync(openAccount(settings: settings, tokens: tokens ?? platformTokens())) }
}

/// Everybody who has signed in on this phone, by property and name; to be called as `InnSyncKit.accounts`.
public func accounts(in directory: URL) throws -> [Account] {
    try told { try InnSyncCore.accounts(directory: directory.path) }
}

/// Panics in the core, so that an app can try that its reporting of bugs works: throws ``InnSyncError/bug(id:)``, and the
/// next call works.
public func raiseTestBug() throws {
    try told { try InnSyncCore.raiseTestBug() }
}

/// What the core writes to its log from now on, for all accounts of this process, up to that level: no token, no password,
/// nothing that people wrote. To be called as `InnSyncKit.logLines`.
///
/// The oldest lines are dropped when the consumer lags by 1,000, and a line says how many.
public func logLines(_ level: LogLevel = .info) -> InnSyncStream<LogLine> {
    stream { try InnSyncCore.logLines(level: level) }
}

private func platformTokens() -> (any TokenStore)? {
    #if canImport(Security)
        return KeychainTokenStore()
    #else
        return nil
    #endif
}

extension InnSyncSettings {
    /// - Parameters:
    ///   - server: the server's base URL, `https://sync.example.com`; without a path.
    ///   - property: the property's id, `seaside`.
    ///   - person: the name that the person signs in with, `ana`.
    ///   - directory: where databases are kept; made when needed. On a phone: a folder of *Application Support*, which is
    ///     not shared with extensions.
    ///   - device: the phone's name, 1 to 100 characters; nil: a random one that is kept in the directory.
    ///   - extraRoots: certificates (DER) trusted besides Mozilla's, for a server with a private one.
    public init(
        server: URL, property: String, person: String, directory: URL, device: String? = nil,
        extraRoots: [Data] = []
    ) {
        self.init(
            server: server.absoluteString, property: property, person: person, directory: directory.path,
            device: device, extraRoots: extraRoots)
    }
}
