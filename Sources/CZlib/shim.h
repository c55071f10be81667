// One door to zlib: a whole text at once, as gzip.
#pragma once
#include <stdint.h>
#include <zlib.h>

/// Room that is enough for the gzip form of so many bytes.
static inline size_t czlib_bound(size_t count) { return compressBound((uLong)count) + 32; }

/// Writes the gzip form and returns its size; 0 when there is no memory.
static inline size_t czlib_gzip(const uint8_t *_Nullable bytes, size_t count,
                                uint8_t *_Nullable room, size_t room_count) {
    z_stream stream = {0};
    // Fifteen bits of window, and sixteen more for gzip's own head and tail. The lowest level: a
    // scrape repeats itself so much that higher ones only take longer.
    if (deflateInit2(&stream, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) return 0;
    stream.next_in = (Bytef *)bytes;
    stream.avail_in = (uInt)count;
    stream.next_out = room;
    stream.avail_out = (uInt)room_count;
    int end = deflate(&stream, Z_FINISH);
    size_t size = stream.total_out;
    deflateEnd(&stream);
    return end == Z_STREAM_END ? size : 0;
}
