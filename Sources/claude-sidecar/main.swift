// Arguments in, exit status out.
import Configuration
import EventLoop
import Glibc
import Proxy
import Telemetry

/// What the command line asks for.
enum Command {
    static let usage = """
        usage: claude-sidecar [command]

        A sidecar that lets Anthropic Messages API clients talk to any OpenAI-compatible model.

        commands
          (none)        serve; settings come from the environment
          demo          serve in front of a built-in scripted upstream: no key, no network
          check         print the effective settings and leave; with --probe also send one tiny
                        request upstream and explain the answer; exit 0 if it is good, else 1
          healthcheck   ask a running sidecar whether it is ready; exit 0 or 1
          settings      print the reference of all settings
          metrics       print the reference of all metrics
          --help        this text
          --version     the version

        exit status
          0  stopped as asked    1  could not start    2  wrong arguments
          78  a setting is wrong (all mistakes are printed at once)
          143  stopped at once by a second SIGTERM; by any if EXIT_ZERO_ON_SIGTERM is off

        settings (environment variables; secrets also as NAME_FILE)
        """

    static func run(_ arguments: [String]) -> CInt {
        if arguments == ["check", "--probe"] { return withSettings(checkAndProbe) }
        guard arguments.count <= 1 else { return wrongArguments(arguments.joined(separator: " ")) }
        switch arguments.first {
        case "--help", "-h", "help":
            print(usage)
            for line in SettingsTable.helpLines { print(line) }
            return 0
        case "--version", "version":
            print("claude-sidecar \(Sidecar.version)")
            return 0
        case nil: return withSettings(Sidecar.run)
        case "demo": return withSettings(Demo.run)
        case "check":
            return withSettings { settings in
                for line in Check.lines(settings) { print(line) }
                return 0
            }
        case "healthcheck": return withSettings(checkHealth)
        case "settings":
            for line in SettingsTable.markdownLines { print(line) }
            return 0
        case "metrics":
            for line in MetricReference.markdown() { print(line) }
            return 0
        case let other?: return wrongArguments(other)
        }
    }

    private static func checkAndProbe(_ settings: Settings) -> CInt {
        let result = UpstreamProbe.run(settings)
        for line in Check.lines(settings) + result.lines { print(line) }
        return result.isGood ? 0 : 1
    }

    private static func checkHealth(_ settings: Settings) -> CInt {
        let address: ListenAddress =
            if let path = settings.unixPath {
                .unix(path: path)
            } else if let port = settings.adminPort {
                .tcp(host: loopback(settings.adminHost), port: port)
            } else {
                .tcp(host: loopback(settings.host), port: settings.port)
            }
        guard let reason = HealthCheck.run(address) else { return 0 }
        complain(reason)
        return 1
    }

    /// A listener on all addresses is asked on loopback.
    private static func loopback(_ host: String) -> String {
        host == "0.0.0.0" ? "127.0.0.1" : host == "::" ? "::1" : host
    }

    private static func withSettings(_ body: (Settings) -> CInt) -> CInt {
        switch Settings.parse(environment()) {
        case .success(let settings): return body(settings)
        case .failure(let mistakes):
            for line in mistakes.lines { complain(line) }
            return 78
        }
    }

    private static func environment() -> [String: String] {
        var variables: [String: String] = [:]
        for line in CommandLineEnvironment.lines() {
            let sides = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if sides.count == 2 { variables[String(sides[0])] = String(sides[1]) }
        }
        return variables
    }

    private static func wrongArguments(_ text: String) -> CInt {
        complain("unknown command: \(text); see claude-sidecar --help")
        return 2
    }

    private static func complain(_ line: String) {
        let bytes = Array("claude-sidecar: \(line)\n".utf8)
        _ = unsafe bytes.withUnsafeBytes { unsafe write(2, $0.baseAddress, $0.count) }
    }
}

exit(Command.run(Array(CommandLine.arguments.dropFirst())))
