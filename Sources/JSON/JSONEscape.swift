// Escaping and unescaping of JSON strings.

/// Turns text into the content of JSON strings and back.
package enum JSONEscape {
    /// Appends UTF-8 text as the content of a JSON string.
    ///
    /// Quotes, backslashes, control characters and U+2028/2029 are escaped; invalid UTF-8 becomes
    /// U+FFFD.
    @safe package static func append(_ text: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
        // Names and identifiers, mostly, which need no escape.
        let plain = Scan.special(text, from: 0)
        guard plain < text.count else { return unsafe bytes.append(contentsOf: text) }
        var index = 0
        while index < text.count {
            index = appendCommon(text, from: index, to: &bytes)
            guard index < text.count else { return }
            index = appendOther(text, at: index, to: &bytes)
        }
    }

    /// Appends text up to the first byte that is more than an ASCII character or one with an escape
    /// of two; where that is.
    ///
    /// Sixteen bytes are copied whole, and the copy is cut where an escape must come: arguments of
    /// tools are words between quotes, and a copy for each of them would cost more than the words.
    @safe private static func appendCommon(
        _ text: UnsafeRawBufferPointer, from start: Int, to bytes: inout [UInt8]
    ) -> Int {
        var index = start
        unsafe withUnsafeTemporaryAllocation(byteCount: 512, alignment: 16) { chunk in
            var isCommon = true
            while isCommon, index < text.count {
                var count = 0
                isCommon = fill(chunk, &count, text, &index)
                unsafe bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: chunk[..<count]))
            }
        }
        return index
    }

    /// Fills a chunk with escaped text; `false` when it ended at an uncommon byte.
    @inline(__always)
    @safe private static func fill(
        _ chunk: UnsafeMutableRawBufferPointer, _ count: inout Int,
        _ text: UnsafeRawBufferPointer, _ index: inout Int
    ) -> Bool {
        while index < text.count, count &+ 18 <= chunk.count {
            if index &+ 16 <= text.count {
                let block = unsafe text.loadUnaligned(
                    fromByteOffset: index, as: SIMD16<UInt8>.self)
                unsafe chunk.storeBytes(of: block, toByteOffset: count, as: SIMD16<UInt8>.self)
                let plain = block.specials.firstNonzero ?? 16
                count &+= plain
                index &+= plain
                if plain == 16 { continue }
            }
            let byte = unsafe text[index]
            if let letter = shortEscape(byte) {
                unsafe chunk[count] = 0x5c
                unsafe chunk[count &+ 1] = letter
                count &+= 2
            } else {
                guard byte >= 0x20, byte < 0x80 else { return false }
                unsafe chunk[count] = byte
                count &+= 1
            }
            index &+= 1
        }
        return true
    }

    /// Appends what begins with a byte that is not common: characters beyond ASCII, as many as
    /// there are, or one byte or separator that must be escaped or replaced.
    @safe private static func appendOther(
        _ text: UnsafeRawBufferPointer, at start: Int, to bytes: inout [UInt8]
    ) -> Int {
        var index = start
        while index < text.count, unsafe text[index] >= 0x80,
            !UTF8Sequence.isLineSeparator(text, at: index)
        {
            let length = UTF8Sequence.length(text, at: index)
            guard length > 0 else { break }
            index += length
        }
        unsafe bytes.append(contentsOf: text[start..<index])
        guard index == start else { return index }
        let byte = unsafe text[index]
        if byte < 0x80 {
            appendUnit(UInt16(byte), to: &bytes)
        } else if UTF8Sequence.isLineSeparator(text, at: index) {
            appendUnit(unsafe text[index + 2] == 0xa8 ? 0x2028 : 0x2029, to: &bytes)
            return index + 3
        } else {
            bytes.append(contentsOf: replacement)
        }
        return index + 1
    }

    /// Appends a string as the content of a JSON string.
    package static func append(_ text: String, to bytes: inout [UInt8]) {
        var text = text
        text.withUTF8 { append(UnsafeRawBufferPointer($0), to: &bytes) }
    }

    /// Appends bytes as the content of a JSON string.
    package static func append(_ text: [UInt8], to bytes: inout [UInt8]) {
        unsafe text.withUnsafeBytes { append($0, to: &bytes) }
    }

    /// Appends the decoded form of a string's content; a lone surrogate becomes U+FFFD.
    @safe package static func appendDecoded(
        _ content: UnsafeRawBufferPointer, to bytes: inout [UInt8]
    ) {
        var index = 0
        while index < content.count {
            let run = unsafe content[index...].firstIndex(of: 0x5c) ?? content.count
            unsafe bytes.append(contentsOf: content[index..<run])
            guard run + 1 < content.count else { return }
            index = run + 2
            switch unsafe content[run + 1] {
            case 0x62: bytes.append(0x08)
            case 0x66: bytes.append(0x0c)
            case 0x6e: bytes.append(0x0a)
            case 0x72: bytes.append(0x0d)
            case 0x74: bytes.append(0x09)
            case 0x75:
                guard let escape = UnicodeEscape(content, at: run) else { continue }
                bytes.append(contentsOf: String(escape.scalar ?? "\u{fffd}").utf8)
                index = run + escape.length
            default: bytes.append(unsafe content[run + 1])
            }
        }
    }

    /// Appends a string's content as it is, except that a lone surrogate becomes U+FFFD.
    @safe static func appendMended(_ content: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
        var index = 0
        while index < content.count {
            let run = unsafe content[index...].firstIndex(of: 0x5c) ?? content.count
            unsafe bytes.append(contentsOf: content[index..<run])
            guard run + 1 < content.count else { return }
            index = run + 2
            if unsafe content[run + 1] == 0x75, let escape = UnicodeEscape(content, at: run) {
                index = run + escape.length
                if escape.scalar == nil {
                    bytes.append(contentsOf: replacement)
                    continue
                }
            }
            unsafe bytes.append(contentsOf: content[run..<index])
        }
    }

    /// The first byte at or after `start` that is not plain inside a string: a quote, a backslash,
    /// a control character, or one that is not ASCII; `count` when there is none.
    @safe package static func firstSpecial(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int
    {
        Scan.special(bytes, from: start)
    }

    /// Whether bytes may go into a JSON string as they are: valid escapes, valid UTF-8, no control
    /// characters, no half surrogate pairs, no raw U+2028 or U+2029, no quote.
    @safe package static func isCleanContent(_ content: UnsafeRawBufferPointer) -> Bool {
        var index = 0
        while true {
            index = Scan.special(content, from: index)
            guard index < content.count else { return true }
            switch unsafe content[index] {
            case 0x5c:
                guard index + 1 < content.count else { return false }
                switch unsafe content[index + 1] {
                case 0x22, 0x5c, 0x2f, 0x62, 0x66, 0x6e, 0x72, 0x74: index += 2
                case 0x75:
                    guard let escape = UnicodeEscape(content, at: index),
                        escape.scalar != nil
                    else { return false }
                    index += escape.length
                default: return false
                }
            case 0x80...:
                let length = UTF8Sequence.length(content, at: index)
                guard length > 0 else { return false }
                let isSeparator =
                    unsafe length == 3 && content[index] == 0xe2
                    && content[index + 1] == 0x80 && content[index + 2] & 0xfe == 0xa8
                guard !isSeparator else { return false }
                index += length
            default: return false
            }
        }
    }

    private static let replacement: [UInt8] = [0xef, 0xbf, 0xbd]

    /// What stands behind the backslash where two characters stand for a byte.
    @inline(__always)
    private static func shortEscape(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x22, 0x5c: byte
        case 0x0a: 0x6e
        case 0x0d: 0x72
        case 0x09: 0x74
        case 0x08: 0x62
        case 0x0c: 0x66
        default: nil
        }
    }

    private static func appendUnit(_ unit: UInt16, to bytes: inout [UInt8]) {
        bytes += [0x5c, 0x75]
        for shift in stride(from: 12, through: 0, by: -4) {
            let digit = UInt8(unit >> UInt16(shift) & 15)
            bytes.append(digit < 10 ? 0x30 + digit : 0x61 + digit - 10)
        }
    }
}
