import Foundation
import InnSyncCore
import Testing

/// `tests/vectors`: whatever crosses the border comes back the same, as in Rust and Kotlin.
@Suite("Vectors")
struct VectorTests {
    @Test("Every command is the same on both sides")
    func commands() throws {
        let scenarios = try #require(ProcessInfo.processInfo.environment["INNSYNC_SCENARIOS"])
        let file = URL(fileURLWithPath: scenarios).deletingLastPathComponent()
            .appendingPathComponent("vectors/commands.json")
        let vectors = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [NSDictionary])
        var names: Set<String> = []
        for vector in vectors {
            let text = String(decoding: try JSONSerialization.data(withJSONObject: vector), as: UTF8.self)
            let command = try commandFromJson(json: text)
            let back = try JSONSerialization.jsonObject(with: Data(commandToJson(command: command).utf8))
            #expect(back as? NSDictionary == vector)
            names.insert(try #require(vector["type"] as? String))
        }
        #expect(names.count == 32, "each command has a vector")
    }

    @Test("What is no command says where")
    func wrong() throws {
        do {
            _ = try commandFromJson(json: #"{"type":"TAKE_TASK"}"#)
            Issue.record("it is no command")
        } catch InnSyncCore.InnSyncError.InvalidInput(let detail) {
            #expect(detail.contains("taskId"))
        }
    }

    @Test("An audience of a newer release comes back as it was; one that is no JSON is said to be none")
    func audiences() throws {
        let id = UUID()
        func note(_ audience: String) -> Command {
            .createNote(
                noteId: id, title: "Minibar", content: "", suiteId: nil, taskId: nil,
                audience: .unknown(json: audience))
        }
        let newer = note(#"{"floor":2,"kind":"GUESTS"}"#)
        #expect(try commandFromJson(json: commandToJson(command: newer)) == newer)
        for wrong in ["", "guests", "[]", "{"] {
            do {
                _ = try commandToJson(command: note(wrong))
                Issue.record("it is no audience: \(wrong)")
            } catch InnSyncCore.InnSyncError.InvalidInput(let detail) {
                #expect(detail.hasPrefix("not a JSON object"))
            }
        }
    }
}
