// The content of messages: one text, or parts (translation 2.2).
internal import JSON

extension JSONWriter {
    /// Text alone is one string, blocks apart by an empty line: many servers take no parts.
    ///
    /// Where markers are taken all of it is parts, so that one that moves changes nothing else.
    mutating func content(_ parts: [ContentPart], _ markers: Dialect.CacheMarkers) {
        guard markers == .none else { return array(parts, markers) }
        var whole = TextRun()
        for part in parts {
            guard case .text(let run) = part else { return array(parts, markers) }
            whole.add(run.pieces, separator: #"\n\n"#)
        }
        string(whole)
    }

    private mutating func array(_ parts: [ContentPart], _ markers: Dialect.CacheMarkers) {
        beginArray()
        for part in parts {
            beginObject()
            key("type")
            switch part {
            case .text(let run):
                string("text")
                key("text")
                string(run)
                if let marker = run.marker, !marker.isNull { mark(marker, markers) }
            case .imageURL(let url): image { $0.part(url) }
            case .imageData(let mediaType, let data):
                image { writer in
                    writer.part("data:")
                    if let mediaType { writer.part(mediaType) } else { writer.part("image/png") }
                    writer.part(";base64,")
                    writer.base64(data)
                }
            case .file(let name, let url): file(name) { $0.part(url) }
            case .fileData(let name, let data):
                file(name) { writer in
                    writer.part("data:application/pdf;base64,")
                    writer.base64(data)
                }
            }
            endObject()
        }
        endArray()
    }

    private mutating func mark(_ marker: JSONValue, _ markers: Dialect.CacheMarkers) {
        switch markers {
        case .none: break
        case .cacheControl:
            key("cache_control")
            value(marker)
        case .breakpoint:
            key("prompt_cache_breakpoint")
            raw(#"{"mode":"explicit"}"#)
        }
    }

    private mutating func file(_ name: TextRun, _ data: (inout JSONWriter) -> Void) {
        string("file")
        key("file")
        beginObject()
        key("filename")
        string(name)
        key("file_data")
        beginString()
        data(&self)
        endString()
        endObject()
    }

    /// Base 64 as it came, unless somebody has broken it into lines.
    private mutating func base64(_ data: JSONText) {
        guard data.hasEscape else { return part(data) }
        part(escaping: data.decoded().filter { $0 > 0x20 })
    }

    private mutating func image(_ url: (inout JSONWriter) -> Void) {
        string("image_url")
        key("image_url")
        beginObject()
        key("url")
        beginString()
        url(&self)
        endString()
        endObject()
    }
}
