// Schemas of tools, as servers take them (translation 2.8).
internal import JSON

/// What is done to schemas for one server.
struct SchemaRules {
    let style: Dialect.SchemaStyle
    let dropsPatterns: Bool
    /// How many bytes references may still add to one request: a few of them can stand for
    /// gigabytes.
    var room = 1 << 20

    init(_ dialect: Dialect) {
        style = dialect.schemas
        dropsPatterns = dialect.dropsPatterns
    }
}

extension JSONWriter {
    /// A tool's schema: its root becomes an object with properties, and what a server refuses
    /// inside goes; everything else keeps its bytes.
    mutating func toolSchema(_ schema: JSONSlice, _ rules: inout SchemaRules) {
        var cleaner = SchemaCleaner(schema, rules)
        cleaner.root(to: &self)
        rules = cleaner.rules
    }
}

/// Writes one schema in the form that a server takes.
struct SchemaCleaner {
    /// How deep references are followed, and how deep schemas may become by that.
    private static let referencesMax = 8
    private static let depthMax = 512
    /// What following a reference costs at least, whatever it refers to.
    private static let referenceBytes = 64

    private let schema: JSONSlice
    private(set) var rules: SchemaRules
    /// The references that are being followed, the innermost last.
    private var open: [String] = []
    private var depth = 0
    private lazy var definitions = Self.definitions(schema)

    init(_ schema: JSONSlice, _ rules: SchemaRules) {
        self.schema = schema
        self.rules = rules
    }

    /// Keywords that hold no schema a server would need, by the servers that refuse them.
    private static let geminiRefuses: Set<String> = [
        "additionalProperties", "propertyNames", "multipleOf", "patternProperties", "if", "then",
        "else", "default", "examples", "title", "$id", "$comment", "$defs", "$ref",
        "definitions", "$anchor", "dependentRequired", "dependentSchemas", "unevaluatedProperties",
        "contains", "minContains", "maxContains", "uniqueItems", "readOnly", "writeOnly",
        "deprecated", "contentEncoding", "contentMediaType", "not", "prefixItems",
    ]

    // MARK: - The root

    /// OpenAI takes nothing but an object at the root, and Anthropic says so too.
    mutating func root(to writer: inout JSONWriter) {
        var schema = schema
        if rules.style == .gemini { while let target = follow(schema) { schema = target } }
        let members = schema.members
        let branches = members.filter { Self.isBranch($0.key) }
        writer.beginObject()
        var hasType = false
        var hasProperties = false
        for (key, value) in members {
            if Self.isBranch(key) || Self.isOutOfPlace(key) || key.isString("$schema") { continue }
            if key.isString("type") {
                hasType = true
                writer.key("type")
                writer.string("object")
            } else if !branches.isEmpty, key.isString("properties") || key.isString("required") {
                continue
            } else {
                hasProperties = hasProperties || key.isString("properties")
                if needsCleaning(value) {
                    member(key, value, of: schema, to: &writer)
                } else {
                    writer.key(slice: key)
                    writer.value(value)
                }
            }
        }
        if !hasType {
            writer.key("type")
            writer.string("object")
        }
        if !branches.isEmpty {
            flatten(branches, of: schema, to: &writer)
        } else if !hasProperties {
            writer.key("properties")
            writer.raw("{}")
        }
        writer.endObject()
    }

    static func isBranch(_ key: JSONSlice) -> Bool {
        key.isString("anyOf") || key.isString("oneOf") || key.isString("allOf")
    }

    static func isOutOfPlace(_ key: JSONSlice) -> Bool {
        key.isString("enum") || key.isString("const") || key.isString("not")
    }

    /// One object in place of several: all properties, and what every one of them requires.
    private mutating func flatten(
        _ branches: [(key: JSONSlice, value: JSONSlice)], of schema: JSONSlice,
        to writer: inout JSONWriter
    ) {
        var properties = schema.member("properties")?.members ?? []
        var names = Set(properties.compactMap(\.key.string))
        var required = Self.required(schema)
        var demanded = Set(required)
        for (key, value) in branches {
            let variants = value.elements.map { resolved($0) }
            for variant in variants {
                properties += (variant.member("properties")?.members ?? []).filter { property in
                    names.insert(property.key.string ?? "").inserted
                }
            }
            let lists = variants.map(Self.required)
            var common = lists.flatMap { $0 }
            if !key.isString("allOf") {
                let sets = lists.map { Set($0) }
                common = (lists.first ?? []).filter { name in
                    sets.allSatisfy { $0.contains(name) }
                }
            }
            required += common.filter { demanded.insert($0).inserted }
        }
        writer.key("properties")
        writer.beginObject()
        for (key, value) in properties {
            writer.key(slice: key)
            subschema(value, to: &writer)
        }
        writer.endObject()
        guard !required.isEmpty else { return }
        writer.key("required")
        writer.beginArray()
        for name in required { writer.string(name) }
        writer.endArray()
    }

    private static func required(_ schema: JSONSlice) -> [String] {
        schema.member("required")?.elements.compactMap(\.string) ?? []
    }

    // MARK: - References

    private mutating func resolved(_ schema: JSONSlice) -> JSONSlice {
        (schema.member("$ref")?.string).flatMap { definitions[$0] } ?? schema
    }

    /// What the root refers to, unless it is itself a schema, or is referred to already.
    private mutating func follow(_ root: JSONSlice) -> JSONSlice? {
        guard root.member("properties") == nil, let path = root.member("$ref")?.string,
            !open.contains(path), let target = definitions[path]
        else { return nil }
        open.append(path)
        return target
    }

    /// The schemas in `$defs` and `definitions`, by the reference that means them.
    private static func definitions(_ schema: JSONSlice) -> [String: JSONSlice] {
        var definitions: [String: JSONSlice] = [:]
        for group in schema.members where group.value.kind == .object {
            let name = group.key.string ?? ""
            guard name == "$defs" || name == "definitions" else { continue }
            for (key, value) in group.value.members {
                // As a JSON pointer writes it (RFC 6901).
                let pointer = (key.string ?? "").replacing("~", with: "~0").replacing(
                    "/", with: "~1")
                definitions["#/\(name)/\(pointer)"] = value
            }
        }
        return definitions
    }

    /// Writes what a reference means in its place; `{}` where that would have no end, or none soon.
    private mutating func inline(_ reference: JSONSlice, to writer: inout JSONWriter) {
        guard let path = reference.string, !open.contains(path), open.count < Self.referencesMax,
            let target = definitions[path], target.range.count <= rules.room
        else {
            return writer.raw("{}")
        }
        rules.room -= max(target.range.count, Self.referenceBytes)
        open.append(path)
        subschema(target, to: &writer)
        open.removeLast()
    }

    // MARK: - Inside

    private mutating func subschema(_ schema: JSONSlice, to writer: inout JSONWriter) {
        guard schema.kind == .object else {
            let isTrue = schema.kind == .bool && !schema.isFalse
            guard isTrue, rules.style == .grammar || rules.style == .gemini else {
                return writer.value(schema)
            }
            return writer.raw("{}")
        }
        guard needsCleaning(schema) else { return writer.value(schema) }
        guard depth < Self.depthMax else { return writer.raw("{}") }
        depth += 1
        defer { depth -= 1 }
        if rules.style == .gemini, let reference = schema.member("$ref") {
            return inline(reference, to: &writer)
        }
        writer.beginObject()
        for (key, value) in schema.members { member(key, value, of: schema, to: &writer) }
        if schema.member("type")?.isString("array") == true, schema.member("items") == nil {
            writer.key("items")
            writer.raw("{}")
        }
        writer.endObject()
    }

    /// Whether anything in a schema must change; what needs nothing keeps its very bytes.
    private func needsCleaning(_ schema: JSONSlice) -> Bool {
        if rules.style != .jsonSchema || rules.dropsPatterns { return true }
        return unsafe schema.withBytes { bytes in
            unsafe JSONSearch.contains(bytes, #""array""#, or: #""$schema""#)
        }
    }

    private mutating func member(
        _ key: JSONSlice, _ value: JSONSlice, of schema: JSONSlice, to writer: inout JSONWriter
    ) {
        let name = key.string ?? ""
        if name == "$schema" || rules.dropsPatterns && name == "pattern" { return }
        if rules.style == .uncommented, name == "$id" || name == "$comment" { return }
        if rules.style == .gemini, geminiMember(name, value, of: schema, to: &writer) { return }
        writer.key(slice: key)
        switch name {
        case "properties", "patternProperties", "$defs", "definitions", "dependentSchemas":
            guard value.kind == .object else { return writer.value(value) }
            writer.beginObject()
            for (key, value) in value.members {
                writer.key(slice: key)
                subschema(value, to: &writer)
            }
            writer.endObject()
        case "anyOf", "oneOf", "allOf", "prefixItems": list(value, to: &writer)
        case "items" where value.kind == .array: list(value, to: &writer)
        case "items", "additionalProperties", "not", "if", "then", "else", "propertyNames",
            "contains":
            subschema(value, to: &writer)
        default: writer.value(value)
        }
    }

    private mutating func list(_ schemas: JSONSlice, to writer: inout JSONWriter) {
        guard schemas.kind == .array else { return writer.value(schemas) }
        writer.beginArray()
        for schema in schemas.elements { subschema(schema, to: &writer) }
        writer.endArray()
    }

    /// A keyword that Gemini refuses or spells differently; `false` when it is an ordinary one.
    private func geminiMember(
        _ name: String, _ value: JSONSlice, of schema: JSONSlice, to writer: inout JSONWriter
    ) -> Bool {
        switch name {
        case "const":
            guard schema.member("enum") == nil else { return true }
            writer.key("enum")
            writer.beginArray()
            writer.value(value)
            writer.endArray()
        case "exclusiveMinimum":
            guard value.kind == .number, schema.member("minimum") == nil else { return true }
            writer.key("minimum")
            writer.value(value)
        case "exclusiveMaximum":
            guard value.kind == .number, schema.member("maximum") == nil else { return true }
            writer.key("maximum")
            writer.value(value)
        case "format":
            guard value.isString("enum") || value.isString("date-time") else { return true }
            return false
        case "type":
            guard value.kind == .array else { return false }
            geminiType(value.elements, to: &writer)
        default: return Self.geminiRefuses.contains(name)
        }
        return true
    }

    private func geminiType(_ types: [JSONSlice], to writer: inout JSONWriter) {
        let real = types.filter { !$0.isString("null") }
        if real.count == 1 {
            writer.key("type")
            writer.value(real[0])
        } else if !real.isEmpty {
            writer.key("anyOf")
            writer.beginArray()
            for type in real {
                writer.beginObject()
                writer.key("type")
                writer.value(type)
                writer.endObject()
            }
            writer.endArray()
        }
        guard real.count < types.count else { return }
        writer.key("nullable")
        writer.bool(true)
    }
}

/// Looks for a few bytes in many.
private enum JSONSearch {
    /// Whether one of two strings stands in there, both with their quotes.
    static func contains(
        _ bytes: UnsafeRawBufferPointer, _ literal: StaticString, or other: StaticString
    ) -> Bool {
        var index = 0
        while index < bytes.count {
            if unsafe bytes[index] == 0x22,
                unsafe begins(bytes, at: index, literal) || begins(bytes, at: index, other)
            {
                return true
            }
            index += 1
        }
        return false
    }

    private static func begins(
        _ bytes: UnsafeRawBufferPointer, at index: Int, _ literal: StaticString
    ) -> Bool {
        let count = literal.utf8CodeUnitCount
        guard index + count <= bytes.count else { return false }
        return unsafe bytes[index + 1] == literal.utf8Start[1]
            && bytes[index..<index + count].elementsEqual(
                UnsafeBufferPointer(start: literal.utf8Start, count: count))
    }
}
