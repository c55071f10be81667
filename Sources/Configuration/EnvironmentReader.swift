// Reads values out of the environment and gathers every mistake.

/// Reads settings; a value that does not parse is a mistake, not the end.
struct EnvironmentReader {
    private let environment: [String: String]
    private(set) var mistakes: [String] = []
    private(set) var warnings: [String] = []
    /// Names that were set.
    private(set) var given: Set<String> = []
    /// Names of all settings that were looked at.
    private(set) var known: Set<String> = []

    init(_ environment: [String: String]) { self.environment = environment }

    /// The value of a variable without the blanks around it; empty counts as not set.
    private func variable(_ name: String) -> String? {
        let value = (environment[name] ?? "").trimmed
        return value.isEmpty ? nil : value
    }

    /// Names with a value that begin so, in order.
    func names(beginningWith prefix: String) -> [String] {
        environment.keys.filter { $0.hasPrefix(prefix) && variable($0) != nil }.sorted()
    }

    /// The value of a variable without the blanks around it, for names that no setting has.
    func text(named name: String) -> String { variable(name) ?? "" }

    /// The text that was set, under the name or the first alias that has one.
    mutating func givenText(_ setting: Setting) -> (name: String, text: String)? {
        known.insert(setting.name)
        var found: (name: String, text: String)?
        for name in [setting.name] + setting.aliases {
            guard let text = variable(name) else { continue }
            if let found, found.text != text {
                warn("\(name) is not used: \(found.name) says something else")
            }
            found = found ?? (name, text)
        }
        if let found { given.insert(found.name) }
        return found
    }

    /// The name under which something was set, for who does not care what; that of a file counts.
    mutating func givenName(_ setting: Setting) -> String? {
        guard setting.isSecret else { return givenText(setting)?.name }
        return setting.names.first { variable($0) != nil }
    }

    /// The parsed value that was set, or the parsed default.
    mutating func value<Value>(_ setting: Setting, _ parse: (String) -> Value?) -> Value? {
        let fallback = setting.defaultValue.flatMap(parse)
        guard let (name, text) = givenText(setting) else { return fallback }
        if let value = parse(text) { return value }
        mistake(name, text, setting.allowed)
        return fallback
    }

    /// The parsed value of a setting whose default says everything.
    mutating func value<Value>(
        _ setting: Setting, else fallback: Value, _ parse: (String) -> Value?
    ) -> Value {
        value(setting, parse) ?? fallback
    }

    mutating func text(_ setting: Setting) -> String? {
        value(setting) { $0.isPrintable ? $0 : nil }
    }

    mutating func list(_ setting: Setting) -> [String] {
        value(setting, else: []) { $0.isPrintable ? Self.list($0) : nil }
    }

    mutating func choice<Value: RawRepresentable<String>>(_ setting: Setting) -> Value? {
        value(setting) { Value(rawValue: $0.lowercased()) }
    }

    mutating func duration(_ setting: Setting) -> Duration {
        guard case .duration(let least) = setting.kind else { return .zero }
        return value(setting, else: .zero) { text in
            Self.duration(text).flatMap { $0 >= least ? $0 : nil }
        }
    }

    mutating func number(_ setting: Setting) -> Int? {
        guard case .number(let range) = setting.kind else { return nil }
        return value(setting) { text in Self.number(text).flatMap { range ~= $0 ? $0 : nil } }
    }

    mutating func size(_ setting: Setting) -> Int? { value(setting, Self.bytes) }

    mutating func flag(_ setting: Setting) -> Bool { value(setting, else: false, Self.bool) }

    mutating func port(_ setting: Setting) -> UInt16? {
        value(setting) { text in Self.number(text).flatMap { UInt16(exactly: $0) } }
    }

    mutating func host(_ setting: Setting) -> String {
        value(setting, else: "") { Self.host($0) }
    }

    /// A secret by value or by file; the file wins.
    mutating func secret(_ setting: Setting) -> SecretSource? {
        known.insert(setting.name)
        return secret(named: setting.name)
    }

    /// All keys of a setting and its aliases: keys add up, they do not hide each other.
    mutating func secrets(_ setting: Setting) -> [SecretSource] {
        known.insert(setting.name)
        return ([setting.name] + setting.aliases).flatMap { name -> [SecretSource] in
            switch secret(named: name) {
            case .file(let path): return [.file(path)]
            case .value(let keys): return Self.list(keys.revealed).map { .value(Secret($0)) }
            case nil: return []
            }
        }
    }

    private mutating func secret(named name: String) -> SecretSource? {
        let file = name + "_FILE"
        if let path = variable(file) {
            given.insert(file)
            return .file(path)
        }
        guard let text = variable(name) else { return nil }
        given.insert(name)
        guard text.isPrintable else {
            mistake("\(name): expected a text without control characters")
            return nil
        }
        return .value(Secret(text))
    }

    // MARK: - Mistakes

    mutating func mistake(_ name: String, _ value: String, _ allowed: String) {
        // Kubernetes sets `<SERVICE>_PORT=tcp://…` for every Service of a namespace.
        let isLink = value.hasPrefix("tcp://") || value.hasPrefix("udp://")
        mistakes.append(
            "\(name)=\(value.shown): expected \(allowed)"
                + (isLink
                    ? "; this is a Kubernetes service link, set enableServiceLinks: false" : ""))
    }

    mutating func mistake(_ line: String) { mistakes.append(line) }

    mutating func warn(_ line: String) {
        if !warnings.contains(line) { warnings.append(line) }
    }
}

extension String {
    /// The text without blanks and line ends around it.
    var trimmed: String {
        var text = drop { $0.isWhitespace }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }

    /// With `%20` and the like replaced by what they stand for.
    package var percentDecoded: String {
        var bytes: [UInt8] = []
        var rest = Array(utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Whether no control character is in it: such a text can go into a header.
    var isPrintable: Bool { utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f } }

    /// The text as a message shows it: in one line, and not too long.
    var shown: String {
        let text = String(
            withoutSecrets.unicodeScalars.prefix(100).map { scalar in
                scalar.value < 0x20 || scalar.value == 0x7f ? "?" : Character(scalar)
            })
        return text + (unicodeScalars.count > 100 ? "…" : "")
    }

    /// A proxy without its user and password; libcurl takes one without a scheme too.
    var shownProxy: String {
        guard range(of: "://") == nil, let at = lastIndex(of: "@") else { return shown }
        return ("***" + self[at...]).shown
    }

    /// A URL without what may be a secret in it: what stands before the `@` of its host, and what
    /// its query gives to names that are not known to be harmless.
    package var withoutSecrets: String {
        guard let mark = firstIndex(of: "?") else { return withoutCredentials }
        let pairs = self[index(after: mark)...].split(
            separator: "&", omittingEmptySubsequences: false)
        let shown = pairs.map { pair in
            guard let value = Self.secret(in: pair) else { return String(pair) }
            return pair.dropLast(value.count) + "***"
        }
        return String(self[..<mark]).withoutCredentials + "?" + shown.joined(separator: "&")
    }

    /// What the query of a URL says that nobody may see.
    package var querySecrets: [String] {
        guard let mark = firstIndex(of: "?") else { return [] }
        return self[index(after: mark)...].split(separator: "&").compactMap {
            Self.secret(in: $0).map(String.init)
        }
    }

    private static func secret(in pair: Substring) -> Substring? {
        guard let equals = pair.firstIndex(of: "=") else { return pair.isEmpty ? nil : pair }
        let value = pair[pair.index(after: equals)...]
        let isHarmless = ["api-version", "version"].contains(pair[..<equals].lowercased())
        return isHarmless || value.isEmpty ? nil : value
    }

    private var withoutCredentials: String {
        guard let scheme = range(of: "://") else { return self }
        let rest = self[scheme.upperBound...]
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard let at = authority.lastIndex(of: "@") else { return self }
        return self[..<scheme.upperBound] + "***" + rest[at...]
    }

    private func range(of part: String) -> Range<Index>? {
        indices.first { self[$0...].hasPrefix(part) }.map { start in
            start..<index(start, offsetBy: part.count)
        }
    }
}
