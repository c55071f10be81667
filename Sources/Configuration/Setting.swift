// One environment variable and all there is to say about it.

/// The declaration of a setting; its name, default and meaning are written nowhere else.
package struct Setting: Sendable {
    /// What a value must look like.
    enum Kind: Sendable {
        case text, url, path, proxy, list, origins, modelMap, object, secret, secrets
        case host, port, socket, flag, size, memory, rates, budgets
        case duration(atLeast: Duration)
        case number(ClosedRange<Int>)
        case choice([String])
    }

    /// What the help sorts by.
    package enum Group: String, Sendable, CaseIterable {
        /// Where requests go.
        case upstream = "Upstream"
        /// Which model answers, and how it is asked.
        case models = "Models and translation"
        /// Where clients come in, and who may.
        case clients = "Clients"
        /// How much and how long.
        case limits = "Limits and times"
        /// Logs, metrics, life cycle.
        case operation = "Operation"
    }

    /// The name, as documented.
    package private(set) var name: String
    /// Other names that mean the same.
    package let aliases: [String]
    /// What happens if it is not set, for a person; empty where that goes without saying.
    package let fallback: String
    /// What it means, in a line.
    package let meaning: String
    /// Which part of the help it stands in.
    package let group: Group
    let kind: Kind
    /// The value that counts if it is not set; nil where nothing does.
    let defaultValue: String?

    /// A setting with a default value.
    init(
        _ group: Group, _ name: String, _ kind: Kind, aliases: [String] = [], default value: String,
        _ meaning: String
    ) {
        self.group = group
        self.name = name
        self.kind = kind
        self.aliases = aliases
        self.meaning = meaning
        defaultValue = value
        fallback = value
    }

    /// A setting without one, and words for what happens then.
    init(
        _ group: Group, _ name: String, _ kind: Kind, aliases: [String] = [], unset: String = "",
        _ meaning: String
    ) {
        self.group = group
        self.name = name
        self.kind = kind
        self.aliases = aliases
        self.meaning = meaning
        defaultValue = nil
        fallback = unset
    }

    /// The same setting under another name, for names that are patterns.
    func named(_ name: String) -> Setting {
        var setting = self
        setting.name = name
        return setting
    }

    /// Whether the value must never be shown; such a setting also comes as `NAME_FILE`.
    package var isSecret: Bool {
        switch kind {
        case .secret, .secrets: true
        case .text, .url, .path, .proxy, .list, .origins, .modelMap, .object, .host, .port, .socket,
            .flag, .size, .memory, .rates, .budgets, .duration, .number, .choice:
            false
        }
    }

    /// Whether the value may hold a password before its host.
    var isProxy: Bool {
        if case .proxy = kind { true } else { false }
    }

    /// Every name that is read.
    var names: [String] {
        ([name] + aliases).flatMap { isSecret ? [$0, $0 + "_FILE"] : [$0] }
    }

    /// What may be written, for the person who wrote something else.
    package var allowed: String {
        switch kind {
        case .text, .secret, .secrets: "a text without control characters"
        case .url: "a URL like https://host/v1, without user and password"
        case .path: "a path"
        case .proxy: "a proxy like http://user:password@host:3128"
        case .list: "names, by comma"
        case .origins: "* or origins like https://app.example.com, by comma"
        case .object: "a JSON object without model, messages, tools and stream"
        case .modelMap: "pairs like claude-*haiku*=gpt-5-mini, by comma"
        case .host: "an address like 127.0.0.1, ::1 or localhost, without a port"
        case .port: "a port from 0 to 65535"
        case .socket: "unix: and an absolute path of at most 107 bytes"
        case .flag: "true or false"
        case .rates: "amounts like 60, 200k or gpt-5*=10, by comma"
        case .budgets: "amounts like 1M/day or gpt-5*=30M/month, by comma"
        case .memory: "auto, off, or a size like 64MiB"
        case .size: "a size like 32MiB, or a number of bytes"
        case .duration(let least):
            least > .zero
                ? "a duration like 250ms, 10s or 5m, of at least \(Self.text(least))"
                : "a duration like 250ms, 10s or 5m"
        case .number(let range): "a number from \(range.lowerBound) to \(range.upperBound)"
        case .choice(let values): "one of " + values.joined(separator: ", ")
        }
    }

    private static func text(_ duration: Duration) -> String {
        let milliseconds = duration / .milliseconds(1)
        return milliseconds < 1000 ? "\(Int(milliseconds))ms" : "\(Int(milliseconds / 1000))s"
    }
}
