// The JSON scanner and writer, held against jansson alone.
import CJansson
import JSON

enum JSONFuzz {
    private static let keys = OpaqueKeys(["input", "input_schema", "schema"])

    static func run(_ bytes: [UInt8]) {
        var input = FuzzInput(bytes)
        let opaque = input.flag() ? keys : .none
        let text = input.payload
        let theirs = Reference(text)
        do throws(JSONError) {
            let ours = try JSONDocument(parsing: text, opaqueKeys: opaque)
            must(theirs.accepts || theirs.isKnownToBeStricter, "jansson refuses: \(theirs.reason)")
            visit(ours.root)
            let written = write(ours.root)
            guard let again = try? JSONDocument(parsing: written, opaqueKeys: opaque),
                let third = try? JSONDocument(parsing: write(again.root), opaqueKeys: opaque)
            else { broken("what was written is no JSON") }
            // The first time names that differ in how they are escaped may become one.
            must(write(third.root) == write(again.root), "writing again is not writing once")
            guard theirs.accepts else { return }
            must(Reference(written) == theirs, "what was written means something else")
        } catch {
            guard theirs.accepts else { return }
            let isOurLimit = error.message.contains("deeper") || error.message.contains("more than")
            must(isOurLimit, "jansson accepts what is refused: \(error.message)")
        }
    }

    private static func write(_ value: JSONValue) -> [UInt8] {
        var writer = JSONWriter()
        writer.value(value)
        return writer.finish().contiguous()
    }

    /// Asks every value everything.
    private static func visit(_ value: JSONValue) {
        if let text = value.text { visit(text) }
        _ = (value.integer, value.double, value.bool, value["a"]?.kind)
        if let slice = value.slice { visit(slice, depth: 0) }
        for element in value.elements { visit(element) }
        for (key, member) in value.members {
            visit(key)
            visit(member)
        }
    }

    private static func visit(_ text: JSONText) {
        let decoded = text.decoded()
        _ = text.isBlank
        must(text.string.utf8.elementsEqual(decoded), "a decoded string is no UTF-8")
        var writer = JSONWriter()
        writer.beginString()
        writer.part(escaping: decoded)
        writer.endString()
        let written = writer.finish().contiguous()
        let again = try? JSONDocument(parsing: written).root.text?.decoded()
        must(again == decoded, "escaping changed a string")
    }

    private static func visit(_ slice: JSONSlice, depth: Int) {
        _ = (slice.kind, slice.isEmptyContainer, slice.string, slice.isString("a"))
        // Each level is walked once more by the one above it.
        guard depth < 8 else { return }
        for element in slice.elements { visit(element, depth: depth + 1) }
        for (key, value) in slice.members {
            must(key.kind == .string, "a name that is no string")
            visit(value, depth: depth + 1)
        }
    }
}

/// What jansson makes of a text.
private final class Reference: Equatable {
    private let top: UnsafeMutablePointer<json_t>?
    private let code: json_error_code
    private let hasZero: Bool
    let reason: String

    init(_ text: [UInt8]) {
        var error = json_error_t()
        top = text.withUnsafeBytes { bytes in
            json_loadb(
                bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count,
                Int(JSON_DECODE_ANY | JSON_ALLOW_NUL), &error)
        }
        code = json_error_code(&error)
        hasZero = text.contains(0)
        reason = withUnsafeBytes(of: error.text) { text in
            String(decoding: text.prefix { $0 != 0 }, as: UTF8.self)
        }
    }

    deinit { json_decref(top) }

    /// A byte of 0 between values is the end of the text for jansson, whatever follows.
    var accepts: Bool { top != nil && !hasZero }

    /// jansson keeps numbers in C's types, names in C's strings, and knows no half surrogates.
    var isKnownToBeStricter: Bool {
        code == json_error_numeric_overflow || code == json_error_null_byte_in_key
            || reason.contains("invalid Unicode")
    }

    static func == (a: Reference, b: Reference) -> Bool { json_equal(a.top, b.top) == 1 }
}
