import Foundation

/// Any JSON value, as scenarios are written.
enum JSON: Codable, Sendable {
    case object([String: JSON])
    case array([JSON])
    case text(String)
    case number(Double)
    case truth(Bool)
    case null

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if let object = try? value.decode([String: JSON].self) {
            self = .object(object)
        } else if let array = try? value.decode([JSON].self) {
            self = .array(array)
        } else if let truth = try? value.decode(Bool.self) {
            self = .truth(truth)
        } else if let number = try? value.decode(Double.self) {
            self = .number(number)
        } else if let text = try? value.decode(String.self) {
            self = .text(text)
        } else {
            self = .null
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .object(let object): try container.encode(object)
        case .array(let array): try container.encode(array)
        case .text(let text): try container.encode(text)
        case .number(let number): try container.encode(number)
        case .truth(let truth): try container.encode(truth)
        case .null: try container.encodeNil()
        }
    }

    subscript(name: String) -> JSON? {
        if case .object(let object) = self { object[name] } else { nil }
    }

    var object: [String: JSON]? { if case .object(let object) = self { object } else { nil } }
    var text: String? { if case .text(let text) = self { text } else { nil } }
    var int: Int? { if case .number(let number) = self { Int(number) } else { nil } }
    var isTrue: Bool { if case .truth(true) = self { true } else { false } }
    var items: [JSON] { if case .array(let items) = self { items } else { [] } }
    var texts: [String] { items.compactMap(\.text) }

    /// As a document.
    func written() throws -> String { String(decoding: try JSONEncoder().encode(self), as: UTF8.self) }
}

/// A value of a closed set, or a state, as the wire writes it: `vacantClean` is `VACANT_CLEAN`.
func wire(_ value: some Sendable) -> String {
    "\(value)".map { $0.isUppercase ? "_\($0)" : $0.uppercased() }.joined()
}
