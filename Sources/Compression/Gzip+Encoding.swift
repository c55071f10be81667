// Encodes whole texts as gzip: scrapes repeat themselves, and come down to a tenth.
internal import CZlib

extension Gzip {
    /// The gzip form of a text; `nil` when zlib has no memory.
    package static func encoded(_ text: [UInt8]) -> [UInt8]? {
        let room = czlib_gzip_bound(text.count)
        let result = unsafe [UInt8](unsafeUninitializedCapacity: room) { target, count in
            guard let start = target.baseAddress else { return }
            count = unsafe text.withUnsafeBytes { input in
                unsafe czlib_gzip(input.baseAddress, input.count, start, room)
            }
        }
        return result.isEmpty ? nil : result
    }
}
