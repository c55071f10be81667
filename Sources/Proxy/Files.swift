// Small files of the system: secrets, `/proc`, the cgroup.
internal import Bytes
internal import EventLoop
internal import Glibc

/// Reads whole small files; no more than a megabyte.
package enum SmallFile {
    /// Why a file cannot be read, for a person.
    package struct ReadError: Error, Equatable {
        /// For a person.
        package let reason: String
    }

    private static let bytesMax = 1 << 20

    /// The bytes of a file.
    package static func read(_ path: String) throws(ReadError) -> [UInt8] {
        let file = Descriptor(unsafe open(path, O_RDONLY | O_CLOEXEC))
        guard file.number >= 0 else { throw error() }
        defer { file.close() }
        var bytes: [UInt8] = []
        while bytes.count < bytesMax {
            var count = 0
            bytes.append(addingCapacity: 4096) { (free: inout OutputSpan<UInt8>) in
                unsafe free.withUnsafeMutableBufferPointer { target, initialized in
                    let start = unsafe target.baseAddress.map { unsafe $0 + initialized }
                    count = unsafe Glibc.read(file.number, start, 4096)
                    if count > 0 { initialized += count }
                }
            }
            if count < 0 { throw error() }
            if count == 0 { break }
        }
        return bytes
    }

    /// The text of a file without the white space around it.
    package static func readText(_ path: String) throws(ReadError) -> String {
        let bytes = try read(path)
        let text = bytes.drop { $0 <= 0x20 }
        guard let end = text.lastIndex(where: { $0 > 0x20 }) else { return "" }
        return String(decoding: text[...end], as: UTF8.self)
    }

    /// A number that changes when the file does: its time, size and identity.
    package static func version(_ path: String) -> UInt64? {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        var hash = UInt64(bitPattern: Int64(status.st_mtim.tv_sec)) &* 1_000_000_007
        hash ^= UInt64(bitPattern: Int64(status.st_mtim.tv_nsec)) &* 31
        return hash ^ UInt64(status.st_ino) &* 131 ^ UInt64(bitPattern: Int64(status.st_size))
    }

    private static func error() -> ReadError {
        ReadError(reason: unsafe String(cString: strerror(errno)).lowercased())
    }
}

/// The environment of this process.
package enum CommandLineEnvironment {
    /// `NAME=value` lines.
    package static func lines() -> [String] {
        guard let bytes = try? SmallFile.read("/proc/self/environ") else { return [] }
        return bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }
}
