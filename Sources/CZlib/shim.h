// The one door to zlib, which libcurl loads anyway: gzip, each way in one call.
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

/// Room that is enough for the gzip form of so many bytes.
static inline size_t czlib_gzip_bound(size_t count) { return compressBound((uLong)count) + 32; }

/// Writes the gzip form of a text and returns its size; 0 when there is no memory.
static inline size_t czlib_gzip(const void *_Nullable input, size_t count, void *_Nonnull room,
                                size_t room_count) {
    z_stream stream;
    memset(&stream, 0, sizeof stream);
    if (count > UINT_MAX || room_count > UINT_MAX) return 0;
    // The lowest level: what repeats itself so much is small with any.
    if (deflateInit2(&stream, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) return 0;
    stream.next_in = (Bytef *)input;
    stream.avail_in = (uInt)count;
    stream.next_out = (Bytef *)room;
    stream.avail_out = (uInt)room_count;
    int status = deflate(&stream, Z_FINISH);
    size_t size = status == Z_STREAM_END ? stream.total_out : 0;
    deflateEnd(&stream);
    return size;
}
