// `claude-sidecar healthcheck`: asks a running sidecar whether it is ready.
package import EventLoop
internal import Glibc

/// A blocking request to a probe, for container health checks: no shell and no curl in the image.
package enum HealthCheck {
    /// Asks `GET /readyz`; a reason when the sidecar is not ready.
    package static func run(_ address: ListenAddress) -> String? {
        guard let socket = BlockingSocket(address) else {
            return "cannot connect to \(address.text): \(unsafe String(cString: strerror(errno)))"
        }
        defer { socket.close() }
        let request = "GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
        guard socket.sendAll(Array(request.utf8)) else { return "cannot send to \(address.text)" }
        let answer = String(decoding: socket.receiveAll(upTo: 4096), as: UTF8.self)
        if answer.hasPrefix("HTTP/1.1 200 ") { return nil }
        return "not ready: \(answer.split(separator: "\r\n").first ?? "no answer")"
    }
}
