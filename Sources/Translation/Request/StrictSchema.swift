// OpenAI's strict subset of JSON schema (translation 1.7, 2.8).
internal import JSON

extension JSONSlice {
    /// The value of a member; the last of that name, as parsers have it.
    func member(_ name: StaticString) -> JSONSlice? {
        members.last { $0.key.isString(name) }?.value
    }

    /// Whether a schema of OpenAI's strict subset: every object closed, every property required.
    var isStrictSchema: Bool {
        var budget = 5000
        return isStrict(depth: 1, &budget) && member("type")?.isString("object") == true
    }

    private static let strictKeywords: Set<String> = [
        "type", "properties", "required", "additionalProperties", "items", "enum", "const", "anyOf",
        "description", "title", "$defs", "definitions", "$ref", "pattern", "format", "minimum",
        "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minItems", "maxItems",
        "$schema",
    ]
    private static let strictFormats: Set<String> = [
        "date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid",
    ]

    private func isStrict(depth: Int, _ budget: inout Int) -> Bool {
        guard kind == .object, depth <= 10 else { return false }
        var properties: [String]?
        var required: [String] = []
        var isClosed = false
        var isObject = false
        for (key, value) in members {
            guard let name = key.string, Self.strictKeywords.contains(name) else { return false }
            switch name {
            case "type":
                isObject =
                    value.isString("object") || value.elements.contains { $0.isString("object") }
            case "additionalProperties":
                isClosed = value.kind == .bool && value.isFalse
            case "required": required = value.elements.compactMap(\.string)
            case "properties", "$defs", "definitions":
                let inner = value.members
                budget -= inner.count
                guard budget >= 0 else { return false }
                if name == "properties" { properties = inner.compactMap(\.key.string) }
                let deeper = name == "properties" ? depth + 1 : depth
                guard inner.allSatisfy({ $0.value.isStrict(depth: deeper, &budget) }) else {
                    return false
                }
            case "items": guard value.isStrict(depth: depth + 1, &budget) else { return false }
            case "anyOf":
                let variants = value.elements
                guard depth > 1, variants.allSatisfy({ $0.isStrict(depth: depth, &budget) })
                else { return false }
            case "format":
                guard Self.strictFormats.contains(value.string ?? "") else { return false }
            default: break
            }
        }
        guard isObject || properties != nil else { return true }
        return isClosed && Set(properties ?? []) == Set(required)
    }

    /// Whether this is `false`.
    var isFalse: Bool {
        unsafe withBytes { unsafe $0.first == UInt8(ascii: "f") }
    }
}
