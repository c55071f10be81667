// Schemas of tools, as servers take them (translation 2.8).
internal import JSON

/// What is done to schemas for one server.
struct SchemaRules {
    let style: Dialect.SchemaStyle
    let dropsPatterns: Bool

    init(_ dialect: Dialect) {
        style = dialect.schemas
        dropsPatterns = dialect.dropsPatterns
    }
}

extension JSONWriter {
    /// A tool's schema: its root becomes an object with properties, and what a server refuses
    /// inside goes; everything else keeps its bytes.
    mutating func toolSchema(_ schema: JSONSlice, _ rules: SchemaRules) {
        var cleaner = SchemaCleaner(schema, rules)
        cleaner.root(to: &self)
    }
}

/// Writes one schema in the form that a server takes.
struct SchemaCleaner {
    /// How deep references are followed; a recursive one ends in `{}`.
    private static let referencesMax = 8

    private let schema: JSONSlice
    private let rules: SchemaRules
    private var references = 0

    init(_ schema: JSONSlice, _ rules: SchemaRules) {
        self.schema = schema
        self.rules = rules
    }

    /// Keywords that hold no schema a server would need, by the servers that refuse them.
    private static let geminiRefuses: Set<String> = [
        "additionalProperties", "propertyNames", "multipleOf", "patternProperties", "if", "then",
        "else", "default", "examples", "title", "$schema", "$id", "$comment", "$defs",
        "definitions", "$anchor", "dependentRequired", "dependentSchemas", "unevaluatedProperties",
        "contains", "minContains", "maxContains", "uniqueItems", "readOnly", "writeOnly",
        "deprecated", "contentEncoding", "contentMediaType", "not", "prefixItems",
    ]

    // MARK: - The root

    /// OpenAI takes nothing but an object at the root, and Anthropic says so too.
    mutating func root(to writer: inout JSONWriter) {
        let members = schema.members
        let branches = members.filter { Self.isBranch($0.key) }
        let isClean = !needsCleaning(schema)
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
                if isClean {
                    writer.key(slice: key)
                    writer.value(value)
                } else {
                    member(key, value, of: schema, to: &writer)
                }
            }
        }
        if !hasType {
            writer.key("type")
            writer.string("object")
        }
        if !branches.isEmpty {
            flatten(branches, to: &writer)
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
        _ branches: [(key: JSONSlice, value: JSONSlice)], to writer: inout JSONWriter
    ) {
        var properties: [(key: JSONSlice, value: JSONSlice)] =
            schema.member("properties")?.members
            ?? []
        var required = schema.member("required")?.elements.compactMap(\.string) ?? []
        for (key, value) in branches {
            let variants = value.elements.map { resolved($0) }
            let lists = variants.map { $0.member("required")?.elements.compactMap(\.string) ?? [] }
            for variant in variants {
                for property in variant.member("properties")?.members ?? []
                where !properties.contains(where: { $0.key.string == property.key.string }) {
                    properties.append(property)
                }
            }
            let common =
                key.isString("allOf")
                ? lists.flatMap { $0 }
                : (lists.first ?? []).filter { name in lists.allSatisfy { $0.contains(name) } }
            required += common.filter { !required.contains($0) }
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

    private func resolved(_ schema: JSONSlice) -> JSONSlice {
        schema.member("$ref").flatMap { target(of: $0) } ?? schema
    }

    /// What a reference into `$defs` or `definitions` of the root means.
    private func target(of reference: JSONSlice) -> JSONSlice? {
        let path = reference.string?.split(separator: "/") ?? []
        guard path.count == 3, path[0] == "#" else { return nil }
        let group = schema.members.last { $0.key.string == String(path[1]) }?.value
        return group?.members.last { $0.key.string == String(path[2]) }?.value
    }

    // MARK: - Inside

    private mutating func subschema(_ schema: JSONSlice, to writer: inout JSONWriter) {
        guard schema.kind == .object else {
            guard schema.kind == .bool, rules.style != .jsonSchema, !schema.isFalse else {
                return writer.value(schema)
            }
            return writer.raw("{}")
        }
        guard needsCleaning(schema) else { return writer.value(schema) }
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

    private mutating func inline(_ reference: JSONSlice, to writer: inout JSONWriter) {
        guard references < Self.referencesMax, let target = target(of: reference) else {
            return writer.raw("{}")
        }
        references += 1
        subschema(target, to: &writer)
        references -= 1
    }

    /// Whether anything in a schema must change; what needs nothing keeps its very bytes.
    private func needsCleaning(_ schema: JSONSlice) -> Bool {
        if rules.style != .jsonSchema || rules.dropsPatterns { return true }
        return unsafe schema.withBytes { bytes in
            unsafe JSONSearch.contains(bytes, #""array""#)
        }
    }

    private mutating func member(
        _ key: JSONSlice, _ value: JSONSlice, of schema: JSONSlice, to writer: inout JSONWriter
    ) {
        let name = key.string ?? ""
        if rules.dropsPatterns, name == "pattern" { return }
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
    static func contains(_ bytes: UnsafeRawBufferPointer, _ literal: StaticString) -> Bool {
        let count = literal.utf8CodeUnitCount
        guard bytes.count >= count else { return false }
        let first = unsafe literal.utf8Start.pointee
        var index = 0
        while index <= bytes.count - count {
            if unsafe bytes[index] == first,
                unsafe bytes[index..<index + count].elementsEqual(
                    UnsafeBufferPointer(start: literal.utf8Start, count: count))
            {
                return true
            }
            index += 1
        }
        return false
    }
}
