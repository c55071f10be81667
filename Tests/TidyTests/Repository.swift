// The repository's own files, as the tidy tests read them.

import Foundation
import Testing

/// One text file of the repository.
struct SourceFile {
    /// Path below the root of the repository.
    let path: String
    /// The lines as they stand.
    let lines: [String]
    /// The same lines with comments and the insides of strings blanked out.
    let code: [String]

    init(path: String, text: String) {
        self.path = path
        lines = text.components(separatedBy: "\n")
        code = path.hasSuffix(".swift") ? SwiftCode.only(text).components(separatedBy: "\n") : []
    }

    /// The target that a file below `Sources` or `Tests` belongs to.
    var target: String { path.split(separator: "/").dropFirst().first.map(String.init) ?? "" }

    func finding(line: Int, _ message: String) -> String { "\(path):\(line + 1): \(message)" }
}

/// The files of the repository, without what was built.
enum Repository {
    static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// What a build, a tool or git leaves behind; nothing of it is ours.
    private static func isForeign(_ name: String) -> Bool {
        name == ".git" || name.hasPrefix(".build") || name == ".swiftpm"
            || name == "Package.resolved" || name == "__pycache__" || name == ".pytest_cache"
    }

    /// Paths of all files below a folder.
    static func paths(below folder: String = "") -> [String] {
        let parent = folder.isEmpty ? root : root.appending(path: folder)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: parent.path)) ?? []
        return names.sorted().filter { !isForeign($0) }.flatMap { name -> [String] in
            let path = folder.isEmpty ? name : folder + "/" + name
            var isFolder: ObjCBool = false
            _ = FileManager.default.fileExists(
                atPath: root.appending(path: path).path, isDirectory: &isFolder)
            return isFolder.boolValue ? paths(below: path) : [path]
        }
    }

    /// The files of a folder that are text.
    static func files(below folder: String = "", suffix: String = "") -> [SourceFile] {
        paths(below: folder).filter { $0.hasSuffix(suffix) }.compactMap { path in
            let bytes = try? Data(contentsOf: root.appending(path: path))
            guard let bytes, let text = String(bytes: bytes, encoding: .utf8) else { return nil }
            return SourceFile(path: path, text: text)
        }
    }

    static let sources = files(below: "Sources", suffix: ".swift")
    static let tests = files(below: "Tests", suffix: ".swift")
}

/// Fails once with every finding, so that one run shows all there is to mend.
func expectNone(_ findings: [String], _ location: SourceLocation = #_sourceLocation) {
    if findings.isEmpty { return }
    let text = findings.joined(separator: "\n")
    Issue.record("\(findings.count) findings:\n\(text)", sourceLocation: location)
}
