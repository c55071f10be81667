// What C makes is held by one type, whose end gives it back: nobody else makes it or gives it back.

import Testing

/// A kind of thing that must be given back, the functions that make it and give it back, the module
/// that they come from, and the only files that may call them.
private struct Resource: CustomTestStringConvertible {
    let testDescription: String
    let calls: Set<String>
    let door: String?
    let files: Set<String>

    init(_ name: String, _ calls: Set<String>, of door: String? = nil, in files: Set<String>) {
        testDescription = name
        self.calls = calls
        self.door = door
        self.files = files
    }

    /// Whether a file could call them and must not.
    func isForbidden(in file: SourceFile) -> Bool {
        guard !files.contains(where: { file.path.hasPrefix("Sources/" + $0) }) else { return false }
        guard let door else { return true }
        return file.code.contains { imports(of: $0) == door }
    }
}

private let resources = [
    Resource("a descriptor", ["close"], of: "Glibc", in: ["EventLoop/Descriptor.swift"]),
    Resource(
        "a new descriptor",
        [
            "eventfd", "epoll_create1", "socket", "socketpair", "accept", "accept4", "dup", "fcntl",
            "pipe", "clinux_accept", "clinux_listen", "clinux_connect",
            "clinux_open_standard_error", "clinux_watch_termination",
        ], in: ["EventLoop/"]),
    Resource("an open file", ["open"], of: "Glibc", in: ["Proxy/Files.swift"]),
    Resource(
        "an easy handle", ["curl_easy_init", "curl_easy_cleanup"],
        in: ["Upstream/EasyHandle.swift"]),
    Resource(
        "a multi handle", ["curl_multi_init", "curl_multi_cleanup"],
        in: ["Upstream/UpstreamClient.swift"]),
    Resource(
        "a list of lines", ["curl_slist_append", "curl_slist_free_all"],
        in: ["Upstream/UpstreamRequest.swift"]),
    Resource(
        "a node of a tree",
        [
            "json_decref", "json_incref", "json_delete", "json_object", "json_array", "json_string",
            "json_integer", "json_loads", "json_loadb", "json_set_alloc_funcs", "carena",
            "carena_use", "carena_clear", "carena_allocate", "carena_release",
        ], in: ["JSON/TreeArena.swift"]),
    Resource(
        "memory", [".allocate", ".deallocate", "malloc", "calloc", "free", "strdup"],
        in: ["Upstream/EasyHandle.swift", "EventLoop/EventLoop.swift"]),
    Resource(
        "an object that C holds", [".passRetained", ".takeRetainedValue"],
        in: ["EventLoop/Worker.swift"]),
]

@Suite struct Ownership {
    @Test(arguments: resources)
    fileprivate func whatIsMadeIsGivenBackInOnePlace(_ resource: Resource) {
        expectNone(
            Repository.sources.flatMap { file in
                guard resource.isForbidden(in: file) else { return [String]() }
                return (callsOfFiles[file.path] ?? []).filter { resource.calls.contains($0.name) }
                    .map { file.finding(line: $0.line, "\($0.name) is for \(resource)'s owner") }
            })
    }

    @Test func everyOwnerIsThere() {
        let paths = Set(Repository.sources.map(\.path))
        for file in resources.flatMap(\.files) where file.hasSuffix(".swift") {
            #expect(paths.contains("Sources/" + file))
        }
    }

    @Test(
        arguments: [
            ("unsafe json_decref(node)", ["json_decref"]), ("defer { close(own) }", ["close"]),
            ("_ = Glibc.close(number)", ["close"]), ("socket.close()", []), ("func close() {", []),
            ("UnsafeMutablePointer<Int>.allocate(capacity: 1)", [".allocate"]),
            ("self.close(); open(path, 0)", ["open"]), ("let isOpen = open", []),
        ] as [(String, Set<String>)])
    func callsAreRecognised(line: String, names: Set<String>) {
        #expect(calls(in: line) == names)
    }
}

/// The functions that a line of code calls, methods with the dot before their names.
private func calls(in line: String) -> Set<String> {
    var found: Set<String> = []
    var rest = Substring(line)
    while let parenthesis = rest.firstIndex(of: "(") {
        let before = rest[..<parenthesis]
        rest = rest[rest.index(after: parenthesis)...]
        let name = before.reversed().prefix { $0.isLetter || $0.isNumber || $0 == "_" }.reversed()
        let lead = before.dropLast(name.count)
        guard !name.isEmpty, !lead.hasSuffix("func ") else { continue }
        let isMethod = lead.hasSuffix(".") && !lead.hasSuffix("Glibc.")
        let call = (isMethod ? "." : "") + String(name)
        if !isMethod || owned.contains(call) { found.insert(call) }
    }
    return found
}

private let callsOfFiles = Repository.sources.reduce(into: [String: [(line: Int, name: String)]]())
{
    found, file in
    found[file.path] = file.code.enumerated().flatMap { number, line in
        calls(in: line).map { (number, $0) }
    }
}

private let owned = resources.reduce(into: Set<String>()) { $0.formUnion($1.calls) }
