// Scrapes are repetitive: gzip makes a tenth of them.
internal import CZlib

/// The gzip form of whole texts.
package enum Gzip {
    /// Compresses; `nil` when zlib has no memory.
    package static func compressed(_ bytes: [UInt8]) -> [UInt8]? {
        let room = czlib_bound(bytes.count)
        let result = unsafe [UInt8](unsafeUninitializedCapacity: room) { target, count in
            count = unsafe bytes.withUnsafeBufferPointer { source in
                unsafe czlib_gzip(source.baseAddress, source.count, target.baseAddress, room)
            }
        }
        return result.isEmpty ? nil : result
    }
}
