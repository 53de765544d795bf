#if canImport(Security)
    import Foundation
    import Security

    /// Keeps tokens in the Keychain: on this device alone, readable after the first unlock, so that a push can sync while the
    /// phone is locked.
    public final class KeychainTokenStore: TokenStore {
        private let service: String

        /// - Parameter service: under which name items are kept; the same at each start.
        public init(service: String = "dev.innsync.tokens") {
            self.service = service
        }

        public func load(account: String) throws -> String? {
            var query = item(account)
            query[kSecReturnData] = true
            query[kSecMatchLimit] = kSecMatchLimitOne
            var found: CFTypeRef?
            let status = SecItemCopyMatching(query as CFDictionary, &found)
            if status == errSecItemNotFound { return nil }
            try check(status)
            return (found as? Data).map { String(decoding: $0, as: UTF8.self) }
        }

        public func save(account: String, tokens: String) throws {
            let value: [CFString: Any] = [
                kSecValueData: Data(tokens.utf8),
                kSecAttrAccessible: kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly,
            ]
            let status = SecItemUpdate(item(account) as CFDictionary, value as CFDictionary)
            if status == errSecItemNotFound {
                let new = item(account).merging(value) { _, new in new }
                try check(SecItemAdd(new as CFDictionary, nil))
            } else {
                try check(status)
            }
        }

        public func clear(account: String) throws {
            let status = SecItemDelete(item(account) as CFDictionary)
            if status != errSecItemNotFound { try check(status) }
        }

        private func item(_ account: String) -> [CFString: Any] {
            [kSecClass: kSecClassGenericPassword, kSecAttrService: service, kSecAttrAccount: account]
        }

        private func check(_ status: OSStatus) throws {
            guard status != errSecSuccess else { return }
            throw TokenStoreError.Failed(detail: "the Keychain answered \(status)")
        }
    }
#endif
