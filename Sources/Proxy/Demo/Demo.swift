// `claude-sidecar demo`: the sidecar in front of a scripted upstream, all in one process.
package import Configuration
internal import EventLoop
internal import Upstream

/// Runs the sidecar with the demo upstream behind it.
package enum Demo {
    /// Runs until SIGTERM; the exit status.
    package static func run(_ settings: Settings) -> CInt {
        TerminationSignals.prepare()
        do throws(ListenError) {
            let (socket, address) = try ListeningSocket.open(.tcp(host: "127.0.0.1", port: 0))
            Worker().start(named: "demo") { loop in DemoUpstream(socket, on: loop) }
            var settings = settings
            var upstream = UpstreamSettings()
            upstream.baseURL = "http://\(address.text)/v1"
            upstream.key = .value(Secret("demo"))
            settings.upstreams = [upstream]
            return Sidecar.run(settings)
        } catch {
            return 1
        }
    }
}
