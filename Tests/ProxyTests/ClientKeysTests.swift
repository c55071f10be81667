// Which keys of clients are accepted.
import Testing

@testable import Proxy

@Suite struct ClientKeysTests {
    private let keys = ClientKeys(["key-one", "key-two-which-is-longer", "ключ"])

    @Test(arguments: ["key-one", "key-two-which-is-longer", "ключ"])
    func everyKeyIsAccepted(key: String) {
        #expect(keys.contains(key))
    }

    @Test(arguments: [
        "", "key-on", "key-one ", "key-one\0", "Key-one", "key-onekey-one", "key-ond", "xey-one",
        "key-two-which-is-longex", "клюш", "key-one,key-two-which-is-longer",
    ])
    func nothingElseIs(text: String) {
        #expect(!keys.contains(text))
    }

    @Test func whatIsLongerThanEveryKeyIsNone() {
        let long = String(repeating: "k", count: 100)
        #expect(ClientKeys([long]).contains(long))
        #expect(!ClientKeys([long]).contains(long + "k"))
        #expect(!ClientKeys(["k"]).contains(long))
        #expect(!keys.contains("key-one" + String(repeating: "\0", count: 57) + "x"))
    }

    @Test func withoutKeysNothingIsAccepted() {
        #expect(!ClientKeys([]).contains(""))
    }
}
