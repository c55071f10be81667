// Every case of the translation has a test, and `Tests/cases.txt` says which.

import Foundation
import Testing

@Suite struct CaseTests {
    /// How many cases there are of each kind.
    private static let counts = [("R", 39), ("M", 37), ("N", 22), ("S", 41), ("E", 18)]

    private struct Row {
        var number: Int
        var name: String
        var test: String
    }

    private var rows: [Row] {
        let table = Repository.files(below: "Tests", suffix: "cases.txt").first?.lines ?? []
        return table.enumerated().compactMap { number, line in
            let words = line.split(separator: " ").map(String.init)
            guard words.count == 2, words[0] != "#" else { return nil }
            return Row(number: number, name: words[0], test: words[1])
        }
    }

    @Test func everyCaseIsInTheTable() {
        let named = Set(rows.map(\.name))
        let expected = Self.counts.flatMap { kind, count in (1...count).map { "\(kind)\($0)" } }
        #expect(expected.count == 157)
        #expect(expected.filter { !named.contains($0) } == [])
        #expect(named.subtracting(expected) == [])
    }

    @Test func everyTestInTheTableExists() {
        let scripts = Repository.files(below: "Tests/EndToEnd", suffix: ".py")
        let lines = (Repository.tests + scripts).flatMap(\.lines).filter {
            $0.contains("func ") || $0.contains("def ")
        }
        let fixtures = "Tests/TranslationTests/Fixtures"
        let folders = Set(
            Repository.paths(below: fixtures).map {
                $0.dropFirst(fixtures.count + 1).split(separator: "/").prefix(2).joined(
                    separator: "/")
            })
        expectNone(
            rows.filter { row in
                if row.test.contains("/") { return !folders.contains(row.test) }
                return !lines.contains {
                    $0.contains("func \(row.test)(") || $0.contains("def \(row.test)(")
                }
            }.map { "Tests/cases.txt:\($0.number + 1): there is no \($0.test)" })
    }
}
