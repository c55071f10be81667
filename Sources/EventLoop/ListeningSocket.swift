// Addresses, listeners, and the one blocking client that the health check needs.
internal import CLinux
internal import Glibc

/// Where a listener listens.
package enum ListenAddress: Equatable, Sendable {
    case tcp(host: String, port: UInt16)
    case unix(path: String)
}

/// Why a listener could not be opened, for a person.
package struct ListenError: Error, Equatable {
    /// For a person.
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
        var resolved = try address.resolved()
        let descriptor = unsafe clinux_listen(&resolved, sharesPort ? 1 : 0, 0o600, backlog)
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

extension ListeningSocket {
    /// Opens a listener on a Unix socket whose file has these permissions.
    ///
    /// A file that nobody listens on any more is replaced; one of a running server, and anything
    /// that is no socket, is left alone.
    package static func open(
        path: String, mode: UInt32, backlog: CInt = 4096
    ) throws(ListenError) -> Socket {
        let address = ListenAddress.unix(path: path)
        var resolved = try address.resolved()
        var descriptor: CInt = -1
        if unsafe clinux_remove_stale(&resolved, path) == 0 {
            descriptor = unsafe clinux_listen(&resolved, 0, mode, backlog)
        }
        guard descriptor >= 0 else {
            let reason = unsafe String(cString: strerror(errno))
            throw ListenError(reason: "cannot listen on \(address.text): \(reason)")
        }
        return Socket(descriptor: descriptor)
    }
}

/// The file of a Unix socket, to be removed when the server has ended.
package struct SocketFile {
    private let path: String
    private let identity: (device: dev_t, node: ino_t)?

    /// The file that is there now.
    package init(_ path: String) {
        self.path = path
        identity = Self.identity(path)
    }

    /// Removes the file, unless a successor has put its own in its place.
    package func remove() {
        guard let identity, let now = Self.identity(path), now == identity else { return }
        _ = unsafe unlink(path)
    }

    private static func identity(_ path: String) -> (device: dev_t, node: ino_t)? {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return nil }
        return (status.st_dev, status.st_ino)
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

extension ListenAddress {
    /// The address as the kernel wants it.
    fileprivate func resolved() throws(ListenError) -> clinux_address {
        var resolved = clinux_address()
        switch self {
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
        }
        return resolved
    }
}

/// A client socket that blocks, for so many seconds a call.
package struct BlockingSocket {
    private let socket: Socket

    /// Connects; `nil` with `errno` when that fails.
    package init?(_ address: ListenAddress, seconds: CInt = 2) {
        guard var resolved = try? address.resolved() else { return nil }
        let descriptor = unsafe clinux_connect(&resolved, seconds)
        guard descriptor >= 0 else { return nil }
        socket = Socket(descriptor: descriptor)
    }

    /// Sends everything; `false` when the peer takes no more.
    package func sendAll(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            guard case .bytes(let count) = socket.send(bytes.span.extracting(sent...)) else {
                return false
            }
            sent += count
        }
        return true
    }

    /// Reads until the peer has sent its last byte, or so many bytes are there.
    package func receiveAll(upTo count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let result = socket.receive(upTo: count - bytes.count, appendingTo: &bytes)
            guard case .bytes = result else { break }
        }
        return bytes
    }

    /// Gives the descriptor back.
    package func close() { socket.close() }
}
