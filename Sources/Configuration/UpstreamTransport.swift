// How the way to an upstream is secured, and through whom it leads.

/// What is set about TLS, HTTP and proxies for one upstream.
package struct UpstreamTransport: Sendable {
    /// A path, and the variable that named it.
    package struct NamedPath: Sendable, Equatable {
        /// The variable, for messages.
        package let variable: String
        /// The path.
        package let path: String
    }

    /// `UPSTREAM_CA_FILE`, or `UPSTREAM_<NAME>_CA_FILE`.
    package var caFile: NamedPath?
    /// `UPSTREAM_CA_DIR`, or `UPSTREAM_<NAME>_CA_DIR`.
    package var caDirectory: NamedPath?
    /// `UPSTREAM_CLIENT_CERT`, or `UPSTREAM_<NAME>_CLIENT_CERT`.
    package var clientCertificate: NamedPath?
    /// `UPSTREAM_CLIENT_KEY`, or `UPSTREAM_<NAME>_CLIENT_KEY`.
    package var clientKey: NamedPath?
    /// `UPSTREAM_TLS_INSECURE`, or `UPSTREAM_<NAME>_TLS_INSECURE`.
    package var skipsVerification = false
    /// `UPSTREAM_HTTP_VERSION`, or `UPSTREAM_<NAME>_HTTP_VERSION`.
    package var httpVersion = Settings.HTTPVersion.one
    /// `UPSTREAM_<NAME>_PROXY`: empty for none; nil where the variables of libcurl count.
    package var proxy: String?
    /// `UPSTREAM_<NAME>_NO_PROXY`; nil where the variables of libcurl count.
    package var proxyExceptions: String?

    /// Nothing that was set.
    package init() {}

    /// All files and folders that each handshake needs.
    package var paths: [NamedPath] {
        [caFile, caDirectory, clientCertificate, clientKey].compactMap { $0 }
    }

    /// What is set for all upstreams.
    init(shared reader: inout EnvironmentReader) {
        self.init()
        read(.unnamed, &reader)
        if caFile?.variable == Setting.caFile.name, let directory = caDirectory?.variable,
            directory != Setting.caDirectory.name
        {
            caDirectory = nil
            reader.warn("\(directory) is not used: \(Setting.caFile.name) says whom to trust")
        }
        // libcurl reads these by itself; here they are only known and shown.
        for setting in [Setting.httpsProxy, .httpProxy, .allProxy] {
            guard let (name, text) = reader.givenText(setting), !text.isPrintable else { continue }
            reader.mistake("\(name): expected \(setting.allowed)")
        }
        _ = reader.list(.noProxy)
    }

    /// Replaces what is set for one upstream; what belongs together is replaced together.
    mutating func read(_ variables: UpstreamVariables, _ reader: inout EnvironmentReader) {
        let authorities = (reader.path(variables.caFile), reader.path(variables.caDirectory))
        if authorities.0 != nil || authorities.1 != nil { (caFile, caDirectory) = authorities }
        let certificate = reader.path(variables.clientCertificate)
        let key = reader.path(variables.clientKey)
        if certificate != nil {
            (clientCertificate, clientKey) = (certificate, key)
        } else if key != nil {
            reader.mistake(
                "\(variables.clientKey.name): expected \(variables.clientCertificate.name) "
                    + "beside it")
        }
        skipsVerification =
            reader.value(variables.skipsVerification, EnvironmentReader.bool) ?? skipsVerification
        httpVersion = reader.choice(variables.httpVersion) ?? httpVersion
        if let setting = variables.proxy { proxy = reader.proxy(setting) }
        if let setting = variables.noProxy {
            let hosts = reader.list(setting)
            proxyExceptions = hosts.isEmpty ? nil : hosts.joined(separator: ",")
        }
    }
}

extension EnvironmentReader {
    fileprivate mutating func path(_ setting: Setting) -> UpstreamTransport.NamedPath? {
        guard let path = text(setting), let (name, _) = givenText(setting) else { return nil }
        return UpstreamTransport.NamedPath(variable: name, path: path)
    }

    /// An address with perhaps a user and a password, which no message shows.
    fileprivate mutating func proxy(_ setting: Setting) -> String? {
        guard let (name, text) = givenText(setting) else { return nil }
        if text.lowercased() == "none" { return "" }
        if Self.isProxy(text) { return text }
        mistake("\(name): expected \(setting.allowed)")
        return nil
    }

    private static let proxySchemes = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"]

    private static func isProxy(_ text: String) -> Bool {
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { return false }
        var rest = text[...]
        if let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://") {
            guard proxySchemes.contains(text[..<colon].lowercased()) else { return false }
            rest = text[text.index(colon, offsetBy: 3)...]
        }
        if let at = rest.lastIndex(of: "@") { rest = rest[rest.index(after: at)...] }
        if rest.hasSuffix("/") { rest.removeLast() }
        return UpstreamAddress.host(rest) != nil
    }
}
