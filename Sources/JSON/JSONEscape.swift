// Escaping and unescaping of JSON strings.

/// Turns text into the content of JSON strings and back.
package enum JSONEscape {
    /// Appends UTF-8 text as the content of a JSON string.
    ///
    /// Quotes, backslashes, control characters and U+2028/2029 are escaped; invalid UTF-8 becomes
    /// U+FFFD.
    @safe package static func append(_ text: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
        var index = 0
        var copied = 0
        while index < text.count {
            index = Scan.special(text, from: index)
            guard index < text.count else { break }
            let byte = unsafe text[index]
            if byte >= 0x80 {
                let length = UTF8Sequence.length(text, at: index)
                let isSeparator =
                    unsafe length == 3 && byte == 0xe2 && text[index + 1] == 0x80
                    && text[index + 2] & 0xfe == 0xa8
                if length > 0, !isSeparator {
                    index += length
                    continue
                }
                unsafe bytes.append(contentsOf: text[copied..<index])
                if isSeparator {
                    appendUnit(unsafe text[index + 2] == 0xa8 ? 0x2028 : 0x2029, to: &bytes)
                } else {
                    bytes.append(contentsOf: replacement)
                }
                index += max(1, length)
            } else {
                unsafe bytes.append(contentsOf: text[copied..<index])
                appendEscape(byte, to: &bytes)
                index += 1
            }
            copied = index
        }
        unsafe bytes.append(contentsOf: text[copied..<text.count])
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

    private static func appendEscape(_ byte: UInt8, to bytes: inout [UInt8]) {
        switch byte {
        case 0x22, 0x5c: bytes += [0x5c, byte]
        case 0x0a: bytes += [0x5c, 0x6e]
        case 0x0d: bytes += [0x5c, 0x72]
        case 0x09: bytes += [0x5c, 0x74]
        case 0x08: bytes += [0x5c, 0x62]
        case 0x0c: bytes += [0x5c, 0x66]
        default: appendUnit(UInt16(byte), to: &bytes)
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
