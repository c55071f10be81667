// Scripts stop at the first error and can be run.

import Foundation
import Testing

@Suite struct Scripts {
    private var scripts: [SourceFile] {
        ["scripts", ".ci"].flatMap { Repository.files(below: $0) }
            .filter { !$0.path.hasSuffix(".md") && isShell($0) }
    }

    /// Told by the first line, or by shellcheck's note in a file that others source.
    private func isShell(_ file: SourceFile) -> Bool {
        let first = file.lines.first ?? ""
        return first.hasPrefix("#!") ? first.hasSuffix("sh") : isSourced(file)
    }

    private func isSourced(_ file: SourceFile) -> Bool {
        file.lines.prefix(5).contains { $0.hasPrefix("# shellcheck shell=") }
    }

    @Test func scriptsCanBeRun() {
        let paths = ["scripts", ".ci"].flatMap { Repository.files(below: $0) }
        expectNone(
            paths.filter { ($0.lines.first ?? "").hasPrefix("#!") }.filter {
                !FileManager.default.isExecutableFile(
                    atPath: Repository.root.appending(path: $0.path).path)
            }.map { $0.finding(line: 0, "is not executable") })
    }

    @Test func shellScriptsStopAtTheFirstError() {
        expectNone(
            scripts.filter { !isSourced($0) }.filter { file in
                // After the shebang and the comment that says what the script is.
                let first = file.lines.dropFirst().first { !$0.hasPrefix("#") && !$0.isEmpty }
                return !["set -eu", "set -euo pipefail"].contains(first ?? "")
            }.map { $0.finding(line: 0, "does not begin with set -eu") })
    }

    @Test func scriptsAreSeenByThisTest() {
        #expect(scripts.contains { $0.path == ".ci/run" })
    }
}
