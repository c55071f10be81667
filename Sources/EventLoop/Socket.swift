// A connected or listening socket: the system calls, typed.
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

/// A non-blocking socket.
///
/// Its owner closes it, once.
package struct Socket {
    package let descriptor: CInt

    /// Takes over a descriptor.
    package init(descriptor: CInt) { self.descriptor = descriptor }

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

    /// Says that nothing more will be sent.
    package func finishSending() { _ = shutdown(descriptor, CInt(SHUT_WR)) }

    /// Gives the descriptor back.
    package func close() { _ = Glibc.close(descriptor) }

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

/// Where a listener listens.
package enum ListenAddress: Equatable, Sendable {
    case tcp(host: String, port: UInt16)
    case unix(path: String)
}

/// Why a listener could not be opened, for a person.
package struct ListenError: Error, Equatable {
    package let reason: String
}

/// Opens listeners.
package enum ListeningSocket {
    /// Opens a listener and tells the address that it got (a port of 0 lets the system pick).
    ///
    /// With `sharesPort` several sockets of this process may listen on one port.
    package static func open(
        _ address: ListenAddress, sharesPort: Bool = false, backlog: CInt = 4096
    ) throws(ListenError) -> (socket: Socket, address: ListenAddress) {
        var resolved = clinux_address()
        switch address {
        case .tcp(let host, let port):
            let code = unsafe clinux_resolve(host, port, &resolved)
            guard code == 0 else {
                let reason = unsafe String(cString: gai_strerror(code))
                throw ListenError(reason: "cannot resolve \(host): \(reason)")
            }
        case .unix(let path):
            guard unsafe clinux_unix_address(path, &resolved) == 0 else {
                throw ListenError(reason: "path of the Unix socket is too long: \(path)")
            }
            _ = unsafe unlink(path)
        }
        let descriptor = unsafe clinux_listen(&resolved, sharesPort ? 1 : 0, backlog)
        guard descriptor >= 0 else {
            let reason = unsafe String(cString: strerror(errno))
            throw ListenError(reason: "cannot listen on \(address.text): \(reason)")
        }
        guard case .tcp(let host, _) = address else {
            return (Socket(descriptor: descriptor), address)
        }
        return (
            Socket(descriptor: descriptor), .tcp(host: host, port: clinux_local_port(descriptor))
        )
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

extension ListenAddress {
    /// As a person writes it: `127.0.0.1:8080`, `[::1]:8080`, `unix:/run/sidecar.sock`.
    package var text: String {
        switch self {
        case .tcp(let host, let port):
            host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}
