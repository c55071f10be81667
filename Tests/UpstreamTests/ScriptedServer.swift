// A server on loopback that plays scripts.
import Foundation
import Glibc
import Synchronization

/// A blocking server on loopback that plays one script for each connection, in order.
final class ScriptedServer: Sendable {
    /// One accepted connection, from the script's side.
    struct Peer {
        let descriptor: CInt

        /// Reads until the head and so many body bytes are there; what came, body included.
        func readRequest(bodyBytes: Int = 0) -> [UInt8] {
            var bytes: [UInt8] = []
            let end = Array("\r\n\r\n".utf8)
            while true {
                if let range = bytes.firstRange(of: end),
                    bytes.count >= range.upperBound + bodyBytes
                {
                    return bytes
                }
                guard let more = read() else { return bytes }
                bytes += more
            }
        }

        /// The next bytes; `nil` when the client has closed.
        func read() -> [UInt8]? {
            var buffer = [UInt8](repeating: 0, count: 65536)
            let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
            return count > 0 ? Array(buffer[..<count]) : nil
        }

        func write(_ text: String) { _ = write(Array(text.utf8)) }

        /// Sends; how many bytes the client took within the socket's time limit.
        func write(_ bytes: [UInt8]) -> Int {
            var sent = 0
            while sent < bytes.count {
                let count = unsafe bytes[sent...].withUnsafeBytes { rest in
                    unsafe send(
                        descriptor, rest.baseAddress, rest.count, CInt(MSG_NOSIGNAL))
                }
                if count <= 0 { return sent }
                sent += count
            }
            return sent
        }

        /// Says that nothing more will be sent.
        func finish() { shutdown(descriptor, CInt(SHUT_WR)) }

        /// Ends the connection with a reset instead of a tidy end.
        func reset() {
            var option = linger(l_onoff: 1, l_linger: 0)
            unsafe setsockopt(
                descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        }
    }

    let port: UInt16
    private let listener: CInt
    private let accepted = Counter()

    /// Connections that came.
    var connectionCount: Int { accepted.value.load(ordering: .acquiring) }

    init(_ scripts: [@Sendable (Peer) -> Void]) {
        listener = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        port = unsafe withUnsafeMutableBytes(of: &address) { [listener] bytes in
            let pointer = unsafe bytes.assumingMemoryBound(to: sockaddr.self).baseAddress
            unsafe bind(listener, pointer, length)
            listen(listener, 128)
            unsafe getsockname(listener, pointer, &length)
            return unsafe bytes.load(fromByteOffset: 2, as: UInt16.self).bigEndian
        }
        let run: @Sendable () -> Void = { [listener, accepted] in
            for script in scripts {
                let descriptor = accept(listener, nil, nil)
                guard descriptor >= 0 else { return }
                accepted.value.add(1, ordering: .acquiringAndReleasing)
                var limit = timeval(tv_sec: 5, tv_usec: 0)
                unsafe setsockopt(
                    descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit,
                    socklen_t(MemoryLayout<timeval>.size))
                script(Peer(descriptor: descriptor))
                close(descriptor)
            }
        }
        Thread.detachNewThread(run)
    }

    deinit { close(listener) }
}

private final class Counter: Sendable {
    let value = Atomic<Int>(0)
}
