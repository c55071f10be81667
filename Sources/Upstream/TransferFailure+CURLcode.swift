// What libcurl's result codes mean to us.
internal import CCurl
internal import EventLoop
internal import Glibc

extension TransferFailure {
    static func result(_ code: CURLcode, of transfer: Transfer) -> Result<Void, TransferFailure> {
        guard code != CURLE_OK else { return .success(()) }
        let reason = unsafe String(cString: curl_easy_strerror(code))
        let failure: TransferFailure =
            switch code {
            case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: .resolve(reason)
            case CURLE_COULDNT_CONNECT: .connect(systemReason(transfer) ?? reason)
            case CURLE_OPERATION_TIMEDOUT: .connectTimeout
            case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CERTPROBLEM,
                CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CIPHER, CURLE_SSL_ISSUER_ERROR:
                .tls(reason)
            case CURLE_GOT_NOTHING, CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_PARTIAL_FILE,
                CURLE_HTTP2, CURLE_HTTP2_STREAM:
                .closed(answered: transfer.head != nil, reason: reason)
            case CURLE_WEIRD_SERVER_REPLY, CURLE_UNSUPPORTED_PROTOCOL, CURLE_BAD_CONTENT_ENCODING,
                CURLE_WRITE_ERROR, CURLE_URL_MALFORMAT:
                .malformed(reason)
            default: .other(reason)
            }
        return .failure(isForWant(failure, transfer) ? .exhausted : failure)
    }

    /// Whether descriptors have run out, whatever libcurl makes of that: a socket is not to be had,
    /// a resolver does not start, a file of certificates is unreadable.
    private static func isForWant(_ failure: TransferFailure, _ transfer: Transfer) -> Bool {
        switch failure {
        case .resolve, .tls, .other: transfer.head == nil && !ProcessLimits.hasDescriptors
        case .connect: systemReason(transfer) == nil && !ProcessLimits.hasDescriptors
        case .connectTimeout, .exhausted, .closed, .malformed: false
        }
    }

    private static func systemReason(_ transfer: Transfer) -> String? {
        switch transfer.carrier {
        case .libcurl(let easy), .connecting(let easy, _):
            let number = easy.info(CURLINFO_OS_ERRNO)
            return number == 0 ? nil : reason(of: CInt(number))
        case .queued, .plain, nil: return nil
        }
    }

    /// The system's words for an error of it.
    static func reason(of errno: CInt) -> String {
        unsafe String(cString: strerror(errno)).lowercased()
    }
}
