// The one door to zlib, which libcurl loads anyway: decoding gzip in one call.
#pragma once
#include <limits.h>
#include <stddef.h>
#include <string.h>
#include <zlib.h>

/// Decodes one gzip member that is the whole input into exactly `count` bytes; `room` has one more.
/// 0 for success.
static inline int czlib_gunzip(const void *_Nonnull input, size_t input_count, void *_Nonnull room,
                               size_t count) {
    z_stream stream;
    memset(&stream, 0, sizeof stream);
    if (input_count > UINT_MAX || count >= UINT_MAX) return -1;
    if (inflateInit2(&stream, 15 + 16) != Z_OK) return -1;
    stream.next_in = (Bytef *)input;
    stream.avail_in = (uInt)input_count;
    stream.next_out = (Bytef *)room;
    stream.avail_out = (uInt)count + 1;
    int status = inflate(&stream, Z_FINISH);
    int is_whole = status == Z_STREAM_END && stream.avail_in == 0 && stream.total_out == count;
    inflateEnd(&stream);
    return is_whole ? 0 : -1;
}
