// How long lines, functions and files may be.

import Foundation
import Testing

@Suite struct Shape {
    private var swift: [SourceFile] { Repository.sources + Repository.tests }

    @Test func linesHaveAtMostAHundredColumns() {
        expectNone(
            swift.flatMap { file in
                file.lines.enumerated().filter { $0.element.count > 100 }.map {
                    file.finding(line: $0.offset, "\($0.element.count) columns")
                }
            })
    }

    @Test func filesHaveAtMostFourHundredLines() {
        // The text after the last line feed is no line.
        expectNone(
            swift.filter { $0.lines.count - 1 > 400 }.map {
                $0.finding(line: 0, "\($0.lines.count - 1) lines")
            })
    }

    @Test func functionsHaveAtMostSeventyLines() {
        expectNone(
            swift.flatMap { file in
                SwiftFunction.all(in: file.code).filter { $0.length > 70 }.map {
                    file.finding(line: $0.line, "\($0.name) has \($0.length) lines")
                }
            })
    }

    @Test func filesBeginWithASentenceAndEndWithALineFeed() {
        expectNone(
            swift.compactMap { file in
                let first = file.lines.first ?? ""
                if file.lines.last != "" { return file.finding(line: 0, "no last line feed") }
                return first.hasPrefix("// ") || first.hasPrefix("/// ")
                    ? nil : file.finding(line: 0, "does not say what the file is")
            })
    }

    @Test func packageDeclarationsAreDocumented() {
        expectNone(Repository.sources.flatMap { Documentation.missing(in: $0) })
    }
}

/// Looks for declarations that other modules see and nobody explains.
enum Documentation {
    static func missing(in file: SourceFile) -> [String] {
        file.code.indices.compactMap { number in
            guard isDeclaration(file.code[number]) else { return nil }
            var above = number - 1
            while above >= 0, isAttribute(file.lines[above]) { above -= 1 }
            let line = above < 0 ? "" : file.lines[above].trimmingCharacters(in: .whitespaces)
            return line.hasPrefix("///") ? nil : file.finding(line: number, "no summary")
        }
    }

    private static func isAttribute(_ line: String) -> Bool {
        line.trimmingCharacters(in: .whitespaces).hasPrefix("@")
    }

    /// Whether a line of code declares something of the package; imports and extensions do not.
    static func isDeclaration(_ line: String) -> Bool {
        let words = line.split(separator: " ")
        guard let place = words.firstIndex(of: "package"),
            words[..<place].allSatisfy({ $0.hasPrefix("@") || modifiers.contains(String($0)) }),
            place + 1 < words.count
        else { return false }
        return words[place + 1] != "import" && words[place + 1] != "extension"
    }

    private static let modifiers: Set<String> = [
        "final", "static", "nonisolated", "override", "mutating", "consuming", "borrowing",
    ]
}
