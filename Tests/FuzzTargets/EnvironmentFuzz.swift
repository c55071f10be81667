// Environments: settings, or mistakes that are told without secrets.
import Configuration
import Translation

enum EnvironmentFuzz {
    private static let secret = "sk-planted"
    private static let names = SettingsTable.all.flatMap { [$0.name] + $0.aliases }

    static func run(_ bytes: [UInt8]) {
        var variables: [String: String] = [:]
        for line in bytes.split(separator: 0x0a) {
            // A first byte beyond ASCII stands for a name, so that names need not be guessed.
            if let first = line.first, first >= 0x80 {
                variables[names[Int(first) % names.count]] = String(
                    decoding: line.dropFirst(), as: UTF8.self)
            } else if let equals = line.firstIndex(of: 0x3d) {
                let name = String(decoding: line[..<equals], as: UTF8.self)
                variables[name] = String(decoding: line[(equals + 1)...], as: UTF8.self)
            }
        }
        variables["OPENAI_API_KEY"] = secret
        switch Settings.parse(variables) {
        case .success(let settings):
            check(settings.describe() + settings.warnings)
            for (name, value) in settings.upstreams.flatMap(\.headers) {
                must((name + value).utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f }, "a bad header")
            }
            let url = ChatEndpoint.url(base: settings.upstreams[0].baseURL)
            must(url.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7f }, "a bad URL \(url)")
            _ = Dialect.detect(baseURL: settings.upstreams[0].baseURL)
            let map = ModelMap(
                rules: settings.modelRules.map { ModelRule(pattern: $0.pattern, model: $0.model) })
            _ = map.resolve(String(decoding: bytes, as: UTF8.self))
        case .failure(let mistakes):
            must(!mistakes.lines.isEmpty, "a failure without a mistake")
            check(mistakes.lines)
        }
    }

    private static func check(_ lines: [String]) {
        let text = lines.joined()
        must(text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f }, "a control character in a line")
        must(!text.contains(secret), "the key in a line")
    }
}
