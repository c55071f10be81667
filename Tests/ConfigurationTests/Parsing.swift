// Shorthands of the tests for settings.

@testable import Configuration

func settings(_ environment: [String: String]) throws -> Settings {
    try Settings.parse(environment).get()
}

func mistakes(_ environment: [String: String]) -> [String] {
    if case .failure(let mistakes) = Settings.parse(environment) { mistakes.lines } else { [] }
}

/// Warnings about some settings besides a key that nothing else is about.
func warnings(_ environment: [String: String]) throws -> [String] {
    try settings(environment.merging(["OPENAI_API_KEY": "k"]) { given, _ in given }).warnings
}
