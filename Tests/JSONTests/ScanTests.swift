// The search for the ends of strings, against one that looks at each byte.

import CScan
import Testing

/// What `cscan_string` says, from its documentation and nothing else.
private func expected(_ text: [UInt8], from: Int) -> (place: Int, hasEscape: Bool) {
    var hasEscape = false
    var index = from
    while index < text.count {
        let byte = text[index]
        if byte == 0x5c {
            hasEscape = true
            let common: [UInt8] = [0x22, 0x6e, 0x74]
            guard index + 1 < text.count, common.contains(text[index + 1]) else { break }
            index += 2
        } else if byte == 0x22 || byte < 0x20 || byte >= 0x80 {
            break
        } else {
            index += 1
        }
    }
    return (index, hasEscape)
}

private typealias Scan = (UnsafeRawPointer, Int, Int, UnsafeMutablePointer<Bool>) -> Int

/// What a scan finds when it is told to go on behind each common escape that it stops at, as it
/// may near the end of the text.
private func found(
    _ text: [UInt8], from: Int, by scan: Scan
) throws -> (place: Int, hasEscape: Bool) {
    var hasEscape = false
    var place = from
    while true {
        place = try text.withUnsafeBytes {
            scan(try #require($0.baseAddress), place, text.count, &hasEscape)
        }
        let rest = text[place...].prefix(2)
        guard [#"\""#, #"\n"#, #"\t"#].contains(where: { rest.elementsEqual($0.utf8) }) else {
            return (place, hasEscape || rest.first == 0x5c)
        }
        #expect(text.count - place < 32, "only there a common escape may be told")
        hasEscape = true
        place += 2
    }
}

@Suite struct StringScans {
    /// All pieces at all places of texts that are shorter and longer than what is looked at
    /// together.
    @Test(arguments: [
        #"\""#, #"\n"#, #"\t"#, #"\\"#, #"\\""#, #"\\n"#, #"\u0041"#, #"\""#, "\\", "\"", "\u{1}",
        "\u{7f}", "\u{80}", #"\n\n\n\n\""#, #"\n\\\n"#, "",
    ])
    func everyPlaceIsFoundAsByteByByte(piece: String) throws {
        for size in [0, 1, 15, 31, 32, 33, 63, 64, 65, 96, 130] {
            for place in 0...size {
                let plain = [UInt8](repeating: 0x61, count: size)
                let text = [0x22] + plain[..<place] + Array(piece.utf8) + plain[place...] + [0x22]
                let wanted = expected(text, from: 1)
                for scan in [cscan_string, cscan_string_narrow] {
                    let got = try found(text, from: 1, by: scan)
                    #expect(got == wanted, "\(piece) at \(place) of \(size)")
                }
            }
        }
    }
}
