// Fixed-arity doors to libcurl's variadic functions, which Swift cannot call. Each asserts that the
// option takes the kind of value that it is given.
#pragma once
#define CURL_DISABLE_TYPECHECK 1
#include <assert.h>
#include <curl/curl.h>

#define CCURL_EXPECT(option, kind) assert((int)(option) / 10000 * 10000 == (kind))

static inline CURLcode ccurl_set_long(CURL *_Nonnull easy, CURLoption option, long value) {
    CCURL_EXPECT(option, CURLOPTTYPE_LONG);
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode ccurl_set_size(CURL *_Nonnull easy, CURLoption option, int64_t value) {
    CCURL_EXPECT(option, CURLOPTTYPE_OFF_T);
    return curl_easy_setopt(easy, option, (curl_off_t)value);
}

static inline CURLcode ccurl_set_string(CURL *_Nonnull easy, CURLoption option,
                                        const char *_Nullable value) {
    CCURL_EXPECT(option, CURLOPTTYPE_OBJECTPOINT);
    return curl_easy_setopt(easy, option, value);
}

/// For callback data, header lists and bodies: nothing is copied, the pointee outlives the transfer.
static inline CURLcode ccurl_set_pointer(CURL *_Nonnull easy, CURLoption option,
                                         void *_Nullable value) {
    CCURL_EXPECT(option, CURLOPTTYPE_OBJECTPOINT);
    return curl_easy_setopt(easy, option, value);
}

typedef size_t (*ccurl_data_callback)(char *_Nullable, size_t, size_t, void *_Nullable);
typedef int (*ccurl_seek_callback)(void *_Nullable, curl_off_t, int);
typedef int (*ccurl_open_callback)(void *_Nullable, curl_socket_t, curlsocktype);
typedef int (*ccurl_close_callback)(void *_Nullable, curl_socket_t);

static inline CURLcode ccurl_set_data_callback(CURL *_Nonnull easy, CURLoption option,
                                               ccurl_data_callback _Nullable callback) {
    CCURL_EXPECT(option, CURLOPTTYPE_FUNCTIONPOINT);
    return curl_easy_setopt(easy, option, callback);
}

static inline CURLcode ccurl_set_seek_callback(CURL *_Nonnull easy,
                                               ccurl_seek_callback _Nullable callback) {
    return curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, callback);
}

/// Called for each socket that a connection is made over, before it is connected.
static inline CURLcode ccurl_set_open_callback(CURL *_Nonnull easy,
                                               ccurl_open_callback _Nullable callback) {
    return curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, callback);
}

static inline CURLcode ccurl_set_close_callback(CURL *_Nonnull easy,
                                                ccurl_close_callback _Nullable callback) {
    return curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, callback);
}

static inline CURLMcode ccurl_multi_set_long(CURLM *_Nonnull multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}

static inline CURLMcode ccurl_multi_set_pointer(CURLM *_Nonnull multi, CURLMoption option,
                                                void *_Nullable value) {
    return curl_multi_setopt(multi, option, value);
}

static inline CURLMcode ccurl_multi_set_socket_callback(CURLM *_Nonnull multi,
                                                        curl_socket_callback _Nullable callback) {
    return curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, callback);
}

static inline CURLMcode ccurl_multi_set_timer_callback(
    CURLM *_Nonnull multi, curl_multi_timer_callback _Nullable callback) {
    return curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, callback);
}

/// The value of `CURLOPT_PRIVATE`.
static inline void *_Nullable ccurl_private(CURL *_Nonnull easy) {
    void *value = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&value);
    return value;
}

static inline long ccurl_info_long(CURL *_Nonnull easy, CURLINFO info) {
    long value = 0;
    curl_easy_getinfo(easy, info, &value);
    return value;
}

static inline int64_t ccurl_info_microseconds(CURL *_Nonnull easy, CURLINFO info) {
    curl_off_t value = 0;
    curl_easy_getinfo(easy, info, &value);
    return value;
}

/// The socket of a connection that was made by `CURLOPT_CONNECT_ONLY`, or -1.
static inline int ccurl_active_socket(CURL *_Nonnull easy) {
    curl_socket_t value = CURL_SOCKET_BAD;
    return curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &value) == CURLE_OK ? (int)value : -1;
}

/// The next transfer that has ended, `NULL` when there is none.
static inline CURL *_Nullable ccurl_next_ended(CURLM *_Nonnull multi, CURLcode *_Nonnull result) {
    int left = 0;
    CURLMsg *message;
    while ((message = curl_multi_info_read(multi, &left))) {
        if (message->msg != CURLMSG_DONE) continue;
        *result = message->data.result;
        return message->easy_handle;
    }
    return NULL;
}

/// How long a parsed CA bundle is kept; older versions read it for every connection.
static inline void ccurl_set_ca_cache_seconds(CURL *_Nonnull easy, long seconds) {
#if LIBCURL_VERSION_NUM >= 0x075700
    curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, seconds);
#endif
}

/// Has nobody wait for the thread that looks for a name when its transfer ends before it; the thread
/// cleans up after itself. Older versions wait, and all of the worker's transfers with them.
static inline void ccurl_leave_resolver(CURL *_Nonnull easy) {
#if LIBCURL_VERSION_NUM >= 0x075700
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
}

static inline const char *_Nonnull ccurl_version(void) { return curl_version_info(CURLVERSION_NOW)->version; }
