// Words that have no place here.

import Foundation
import Testing

@Suite struct Words {
    /// What must not stand in code that ships, and why.
    private let banned: [(word: String, reason: String)] = [
        ("fatalError", "throw, or write a precondition with a sentence"),
        ("try!", "handle the error"),
        ("as!", "make the types say it"),
        ("@unchecked Sendable", "let the compiler check it"),
        ("nonisolated(unsafe)", "let the compiler check it"),
        ("DispatchQueue", "a worker is the only executor"),
        ("Task.detached", "every task belongs to a connection"),
        ("import Foundation", "the shipped binary does without"),
        ("swiftlint:", "there is no such tool here"),
    ]

    @Test func bannedWordsStandNowhereInTheSources() {
        expectNone(
            Repository.sources.flatMap { file in
                file.code.enumerated().flatMap { number, line in
                    banned.filter { contains(line, $0.word) }.map {
                        file.finding(line: number, "\($0.word): \($0.reason)")
                    }
                }
            })
    }

    @Test func nothingIsLeftToDoWithoutSayingSoElsewhere() {
        let words = ["TO" + "DO", "FIX" + "ME", "XX" + "X"]
        expectNone(
            (Repository.sources + Repository.tests).flatMap { file in
                file.lines.enumerated().flatMap { number, line in
                    words.filter { contains(line, $0) }.map {
                        file.finding(line: number, "\($0) belongs into an issue")
                    }
                }
            })
    }

    @Test func noFileNamesThePathsOfABuildMachine() {
        let paths = ["work", "root", "home", "Users"].map { "/" + $0 + "/" }
        expectNone(
            Repository.files().flatMap { file in
                file.lines.enumerated().flatMap { number, line in
                    paths.filter { isAbsolute($0, in: line) }.map {
                        file.finding(line: number, "the path \($0) is of one machine")
                    }
                }
            })
    }

    /// Whether a word stands in a line on its own, not as part of a longer one.
    private func contains(_ line: String, _ word: String) -> Bool {
        var rest = Substring(line)
        while let range = rest.range(of: word) {
            let before = rest[..<range.lowerBound].last ?? " "
            let after = rest[range.upperBound...].first ?? " "
            let isPart = isLetter(before) && isLetter(word.first ?? " ")
            if !isPart, !(isLetter(after) && isLetter(word.last ?? " ")) { return true }
            rest = rest[range.upperBound...]
        }
        return false
    }

    private func isLetter(_ character: Character) -> Bool {
        character.isLetter || character.isNumber || character == "_"
    }

    /// Whether a path begins at the root: the path of `https://host/home/` does not count.
    private func isAbsolute(_ path: String, in line: String) -> Bool {
        guard let range = line.range(of: path) else { return false }
        let before = line[..<range.lowerBound].last ?? " "
        return !before.isLetter && !before.isNumber && !"._-}~*".contains(before)
    }
}
