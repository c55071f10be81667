// One libcurl easy handle, and the memory that libcurl reads while a transfer runs.
internal import CCurl

/// Owns a `CURL *`.
///
/// Options that never change are set once; the handle is used again and again.
@safe final class EasyHandle {
    let raw: UnsafeMutableRawPointer
    private var headers: HeaderList?
    private var isGet = false
    private var body: UnsafeMutableRawBufferPointer?

    /// A handle with everything that is the same for each transfer of a client.
    init?(_ client: UpstreamClient) {
        guard let raw = unsafe curl_easy_init() else { return nil }
        unsafe self.raw = unsafe raw
        set(CURLOPT_NOSIGNAL, 1)
        set(CURLOPT_TCP_NODELAY, 1)
        set(CURLOPT_POST, 1)
        set(CURLOPT_UPLOAD_BUFFERSIZE, 16 * 1024)  // the least it takes; it stays to the end
        set(CURLOPT_FOLLOWLOCATION, 0)
        set(CURLOPT_MAXAGE_CONN, 55)
        // Pods move: a minute of failures with the old address would be long.
        set(CURLOPT_DNS_CACHE_TIMEOUT, 5)
        set(CURLOPT_HTTP_VERSION, client.options.httpVersion)
        unsafe ccurl_leave_resolver(raw)
        // Requests share a connection where they can.
        set(CURLOPT_PIPEWAIT, client.options.usesHTTP2 ? 1 : 0)
        set(CURLOPT_CONNECTTIMEOUT_MS, client.options.connectTimeoutMilliseconds)
        setText(CURLOPT_PROTOCOLS_STR, "http,https")
        setText(CURLOPT_USERAGENT, client.options.userAgent)
        applyTransport(client.options)
        unsafe installCallbacks(Unmanaged.passUnretained(client).toOpaque())
    }

    deinit {
        unsafe curl_easy_cleanup(raw)
        unsafe body?.deallocate()
    }

    /// Prepares the handle for a request; `transfer` is what the callbacks get.
    func prepare(_ request: UpstreamRequest, for transfer: UnsafeMutableRawPointer) {
        setText(CURLOPT_URL, request.url)
        set(CURLOPT_CONNECT_ONLY, 0)
        set(CURLOPT_BUFFERSIZE, 16 * 1024)
        set(CURLOPT_FRESH_CONNECT, request.wantsNewConnection ? 1 : 0)
        unsafe set(CURLOPT_WRITEDATA, transfer)
        unsafe set(CURLOPT_HEADERDATA, transfer)
        unsafe set(CURLOPT_PRIVATE, transfer)
        headers = request.headers
        unsafe set(CURLOPT_HTTPHEADER, request.headers.raw)
        isGet = request.isGet
        guard !isGet else { return set(CURLOPT_HTTPGET, 1) }
        setSize(CURLOPT_POSTFIELDSIZE_LARGE, request.body.count)
        if request.body.count <= UpstreamBody.inlineBytesMax {
            holdBody(request.body)
        } else {
            unsafe set(CURLOPT_POSTFIELDS, nil as UnsafeMutableRawPointer?)
            unsafe set(CURLOPT_READDATA, transfer)
            unsafe set(CURLOPT_SEEKDATA, transfer)
        }
    }

    /// Prepares the handle for nothing but a connection.
    func prepareConnection(to url: String, for transfer: UnsafeMutableRawPointer) {
        setText(CURLOPT_URL, url)
        set(CURLOPT_CONNECT_ONLY, 1)
        set(CURLOPT_BUFFERSIZE, 1024)  // the least it takes; nothing is read
        unsafe set(CURLOPT_PRIVATE, transfer)
    }

    /// Lets go of what belongs to the last transfer.
    func release() {
        unsafe set(CURLOPT_POSTFIELDS, nil as UnsafeMutableRawPointer?)
        unsafe set(CURLOPT_HTTPHEADER, nil as UnsafeMutableRawPointer?)
        unsafe body?.deallocate()
        unsafe body = nil
        headers = nil
        if isGet { set(CURLOPT_POST, 1) }
        isGet = false
    }

    /// The socket of the connection that was made.
    var socket: CInt? {
        let socket = unsafe ccurl_active_socket(raw)
        return socket < 0 ? nil : socket
    }

    func info(_ info: CURLINFO) -> Int { unsafe Int(ccurl_info_long(raw, info)) }

    func microseconds(_ info: CURLINFO) -> Int { unsafe Int(ccurl_info_microseconds(raw, info)) }

    /// A small body goes out in one packet with the head, from memory that libcurl may look at.
    private func holdBody(_ source: UpstreamBody) {
        let copy = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(1, source.count), alignment: 1)
        var offset = 0
        for piece in source.pieces {
            unsafe piece.withUnsafeBytes { bytes in
                unsafe UnsafeMutableRawBufferPointer(rebasing: copy[offset...]).copyMemory(
                    from: bytes)
            }
            offset += piece.count
        }
        unsafe body = unsafe copy
        unsafe set(CURLOPT_POSTFIELDS, copy.baseAddress)
    }

    private func applyTransport(_ options: UpstreamOptions) {
        // Whoever names authorities trusts no others; Debian's libcurl has a folder of them too.
        if options.caFile != nil || options.caDirectory != nil {
            setText(CURLOPT_CAINFO, options.caFile)
            setText(CURLOPT_CAPATH, options.caDirectory)
        }
        // libcurl keeps a parsed bundle for a day; one that is rotated must count soon.
        unsafe ccurl_set_ca_cache_seconds(raw, 5)
        if let path = options.clientCertificateFile { setText(CURLOPT_SSLCERT, path) }
        if let path = options.clientKeyFile { setText(CURLOPT_SSLKEY, path) }
        if let path = options.unixSocketPath { setText(CURLOPT_UNIX_SOCKET_PATH, path) }
        if let proxy = options.proxy { setText(CURLOPT_PROXY, proxy) }
        if let hosts = options.proxyExceptions { setText(CURLOPT_NOPROXY, hosts) }
        if options.skipsTLSVerification {
            set(CURLOPT_SSL_VERIFYPEER, 0)
            set(CURLOPT_SSL_VERIFYHOST, 0)
        }
    }

    private func installCallbacks(_ client: UnsafeMutableRawPointer) {
        _ = unsafe ccurl_set_data_callback(raw, CURLOPT_WRITEFUNCTION) { bytes, _, count, context in
            unsafe Transfer.from(context).receive(
                UnsafeRawBufferPointer(start: bytes, count: count))
        }
        _ = unsafe ccurl_set_data_callback(raw, CURLOPT_HEADERFUNCTION) { bytes, size, n, context in
            let line = unsafe UnsafeRawBufferPointer(start: bytes, count: size * n)
            return unsafe Transfer.from(context).receiveHeader(line)
        }
        _ = unsafe ccurl_set_data_callback(raw, CURLOPT_READFUNCTION) { bytes, size, n, context in
            let room = unsafe UnsafeMutableRawBufferPointer(start: bytes, count: size * n)
            return unsafe Transfer.from(context).supplyBody(room)
        }
        _ = unsafe ccurl_set_seek_callback(raw) { context, offset, origin in
            guard origin == SEEK_SET else { return CInt(CURL_SEEKFUNC_CANTSEEK) }
            unsafe Transfer.from(context).rewindBody(to: Int(offset))
            return CInt(CURL_SEEKFUNC_OK)
        }
        _ = unsafe ccurl_set_open_callback(raw) { context, socket, _ in
            unsafe UpstreamClient.from(context).socketOpened(socket)
            return CInt(CURL_SOCKOPT_OK)
        }
        unsafe set(CURLOPT_SOCKOPTDATA, client)
        _ = unsafe ccurl_set_close_callback(raw) { context, socket in
            unsafe UpstreamClient.from(context).closeSocket(socket)
            return 0
        }
        unsafe set(CURLOPT_CLOSESOCKETDATA, client)
    }

    private func set(_ option: CURLoption, _ value: Int) {
        _ = unsafe ccurl_set_long(raw, option, value)
    }

    private func setSize(_ option: CURLoption, _ value: Int) {
        _ = unsafe ccurl_set_size(raw, option, Int64(value))
    }

    private func setText(_ option: CURLoption, _ value: String?) {
        _ = unsafe ccurl_set_string(raw, option, value)
    }

    private func set(_ option: CURLoption, _ value: UnsafeMutableRawPointer?) {
        _ = unsafe ccurl_set_pointer(raw, option, value)
    }
}
