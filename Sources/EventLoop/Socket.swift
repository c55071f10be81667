// A connected or listening socket: the system calls, typed.
internal import Bytes
internal import CLinux
internal import Glibc

/// What came of asking a socket to read or write.
package enum SocketResult: Equatable {
    /// So many bytes went over.
    case bytes(Int)
    /// Nothing can be done now; wait until ready.
    case wouldBlock
    /// The peer has sent its last byte (reads only).
    case ended
    /// The connection is of no use any more.
    case failed(errno: CInt)
}

/// An address without its port; all local sockets without one share the same.
package struct PeerAddress: Hashable, Sendable {
    let high: UInt64
    let low: UInt64
}

/// A non-blocking socket.
///
/// It is closed when its owner says so, at the latest when nobody holds it.
package struct Socket: Sendable {
    private let owned: Descriptor
    /// The kernel's number; -1 once it is closed.
    package var descriptor: CInt { owned.number }

    /// Takes over a descriptor.
    package init(descriptor: CInt) { owned = Descriptor(descriptor) }

    /// Appends at most `count` bytes to a buffer.
    package func receive(upTo count: Int, appendingTo buffer: inout [UInt8]) -> SocketResult {
        var result = SocketResult.wouldBlock
        buffer.append(addingCapacity: count) { (free: inout OutputSpan<UInt8>) in
            unsafe free.withUnsafeMutableBufferPointer { target, initialized in
                let start = unsafe target.baseAddress.map { unsafe $0 + initialized }
                let received = retrying { unsafe recv(descriptor, start, count, 0) }
                result = Self.result(received)
                if received > 0 { initialized += received }
            }
        }
        return result == .bytes(0) ? .ended : result
    }

    /// Sends as much as the kernel takes.
    package func send(_ bytes: Span<UInt8>) -> SocketResult {
        unsafe bytes.withUnsafeBytes { bytes in
            Self.result(
                retrying {
                    unsafe Glibc.send(
                        descriptor, bytes.baseAddress, bytes.count, CInt(MSG_NOSIGNAL))
                })
        }
    }

    /// Sends as much as the kernel takes of pieces in a row, the first one from an offset on.
    package func send(_ pieces: ArraySlice<ArraySlice<UInt8>>, from offset: Int) -> SocketResult {
        let count = min(pieces.count, Self.vectorsMax)
        return unsafe withUnsafeTemporaryAllocation(of: iovec.self, capacity: count) { vectors in
            for (place, piece) in pieces.prefix(count).enumerated() {
                // Valid after the closure: `pieces` holds the bytes, and nobody changes them.
                unsafe piece.withUnsafeBytes { bytes in
                    let bytes = unsafe place == 0 ? bytes.dropFirst(offset) : bytes[...]
                    unsafe vectors.initializeElement(
                        at: place,
                        to: iovec(
                            iov_base: UnsafeMutableRawPointer(
                                mutating: UnsafeRawBufferPointer(rebasing: bytes).baseAddress),
                            iov_len: bytes.count))
                }
            }
            var message = unsafe msghdr()
            unsafe message.msg_iov = vectors.baseAddress
            unsafe message.msg_iovlen = count
            return withExtendedLifetime(pieces) {
                Self.result(
                    retrying { unsafe sendmsg(descriptor, &message, CInt(MSG_NOSIGNAL)) })
            }
        }
    }

    /// Pieces that go out together: some hundred kilobytes, as requests are cut.
    private static let vectorsMax = 64

    /// Whether the connection stands and nothing has come over it; takes nothing away.
    package var isSilent: Bool {
        var byte: UInt8 = 0
        let count = retrying { unsafe recv(descriptor, &byte, 1, CInt(MSG_PEEK)) }
        return count < 0 && errno == EAGAIN
    }

    /// Says that nothing more will be sent.
    package func finishSending() { _ = shutdown(descriptor, CInt(SHUT_WR)) }

    /// Whether the other side is on this machine.
    package var isPeerLocal: Bool { clinux_peer_is_local(descriptor) != 0 }

    /// A second descriptor for the same socket; `nil` when there is none to be had.
    package func duplicate() -> Socket? {
        let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        return copy < 0 ? nil : Socket(descriptor: copy)
    }

    /// The address of the other side.
    package var peer: PeerAddress {
        var (high, low): (UInt64, UInt64) = (0, 0)
        unsafe clinux_peer_address(descriptor, &high, &low)
        return PeerAddress(high: high, low: low)
    }

    /// Gives the descriptor back.
    package func close() { owned.close() }

    private static func result(_ count: Int) -> SocketResult {
        if count >= 0 { return .bytes(count) }
        return errno == EAGAIN ? .wouldBlock : .failed(errno: errno)
    }

    private func retrying(_ call: () -> Int) -> Int {
        while true {
            let count = call()
            if count < 0, errno == EINTR { continue }
            return count
        }
    }
}

extension Socket {
    /// What came of accepting.
    package enum Accepted {
        case connection(Socket)
        case none
        /// Descriptors or memory have run out; try again when something has been closed.
        case exhausted
    }

    /// Takes the next waiting connection.
    package func accept() -> Accepted {
        while true {
            let accepted = clinux_accept(descriptor)
            if accepted >= 0 { return .connection(Socket(descriptor: accepted)) }
            switch errno {
            case EINTR, ECONNABORTED: continue
            case EMFILE, ENFILE, ENOBUFS, ENOMEM: return .exhausted
            default: return .none
            }
        }
    }
}
