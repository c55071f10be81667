// The scanners that the other tests lean on.

import Testing

@Suite struct Scanners {
    @Test(arguments: [
        ("a // b", "a     "), ("a /* /* b */ */ c", "a               c"),
        ("\"a // b\" c", "\"      \" c"), ("#\"a\"b\"# c", "#\"   \"# c"),
        ("\"\\(f(\"x\")) y\"", "\" (f(\" \"))  \""), ("\"a\\\"b\" c", "\"    \" c"),
        ("\"\"\"\na\n\"\"\" b", "\"\"\"\n \n\"\"\" b"), ("#if x // y", "#if x     "),
    ])
    func onlyCodeIsLeft(text: String, code: String) {
        #expect(SwiftCode.only(text) == code)
    }

    @Test func functionsAreMeasuredToTheirLastBrace() {
        let code = """
            struct A {
                init(
                    a: Int
                ) {
                    b = .init(a)
                }
                var c: Int { 1 }
                var d = { 2 }
                let e: Int
                func f(_ g: () -> Void = {}) -> [Int: Int]
                where X: Y {
                    if true {
                    }
                }
            }
            protocol P {
                func h()
                var i: Int { get }
            }
            """
        let functions = SwiftFunction.all(in: code.split(separator: "\n").map(String.init))
        #expect(functions.map(\.name) == ["init", "c", "f", "i"])
        #expect(functions.map(\.line) == [1, 6, 9, 17])
        #expect(functions.map(\.length) == [5, 1, 5, 1])
    }

    @Test(arguments: [
        ("    package let a: Int", true), ("package static func b()", true),
        ("    @inlinable package mutating func c()", true), ("package import D", false),
        ("package extension E {", false), ("let package = Package(", false), ("", false),
        ("final package class F", true),
    ])
    func packageDeclarationsAreRecognised(line: String, isDeclaration: Bool) {
        #expect(Documentation.isDeclaration(line) == isDeclaration)
    }

    @Test func missingSummaryIsFound() {
        let file = SourceFile(
            path: "Sources/A/B.swift",
            text: "/// Yes.\n@safe\npackage struct A {\n    package let b: Int\n}\n")
        #expect(Documentation.missing(in: file) == ["Sources/A/B.swift:4: no summary"])
    }
}
