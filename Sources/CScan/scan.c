// Written with the compiler's own vectors, so that it is one text for all processors. On x86-64 the
// wide instructions (AVX2) are not in each processor that this program runs on: whether they are is
// asked when it runs, which is what C can do and Swift cannot.
#include "CScan.h"

#include <stdint.h>
#include <string.h>

enum { width = 32 };

typedef uint8_t block __attribute__((vector_size(width)));
typedef int8_t signed_block __attribute__((vector_size(width)));
typedef uint64_t words __attribute__((vector_size(width)));

#define INLINE static inline __attribute__((always_inline))

struct look {
    // Bytes are 0xff where one must be looked at, and where a backslash is.
    block stops, backslashes;
};

// The byte before `at` tells whether the first one is escaped.
INLINE void look(struct look *look, const uint8_t *at) {
    block here, before;
    memcpy(&here, at, width);
    memcpy(&before, at - 1, width);
    block quote = (block)(here == '"');
    block escaped = (block)(before == '\\');
    block common = quote | (block)(here == 'n') | (block)(here == 't');
    block other = (block)((signed_block)here < 0x20);
    look->stops = other | (quote & ~escaped) | (escaped & ~common);
    look->backslashes = (block)(here == '\\');
}

INLINE bool is_zero(const block *bytes) {
    words parts = (words)*bytes;
    return (parts[0] | parts[1] | parts[2] | parts[3]) == 0;
}

// The first byte that is not zero, of a block that is not.
INLINE size_t first(const block *bytes) {
    uint8_t each[width];
    memcpy(each, bytes, width);
    size_t place = 0;
    uint64_t part;
    while (memcpy(&part, each + place, sizeof part), part == 0) place += sizeof part;
    while (each[place] == 0) place++;
    return place;
}

INLINE size_t scan(const uint8_t *text, size_t from, size_t count, bool *has_escape) {
    size_t index = from;
    block seen = {0};
    while (index + 2 * width <= count) {
        struct look one, two;
        look(&one, text + index);
        look(&two, text + index + width);
        block stops = one.stops | two.stops;
        if (!is_zero(&stops)) break;
        seen |= one.backslashes | two.backslashes;
        index += 2 * width;
    }
    while (index + width <= count) {
        struct look one;
        look(&one, text + index);
        if (!is_zero(&one.stops)) {
            size_t plain = first(&one.stops);
            if (!is_zero(&seen) || memchr(text + index, '\\', plain)) *has_escape = true;
            index += plain;
            return text[index - 1] == '\\' ? index - 1 : index;
        }
        seen |= one.backslashes;
        index += width;
    }
    if (!is_zero(&seen)) *has_escape = true;
    // What is left is too short for a block; a backslash at its border is looked at with it.
    if (index > from && text[index - 1] == '\\') return index - 1;
    for (; index < count; index++) {
        uint8_t byte = text[index];
        if (byte == '"' || byte == '\\' || byte < 0x20 || byte >= 0x80) break;
    }
    return index;
}

#ifdef __x86_64__
__attribute__((target("avx2"))) static size_t scan_wide(
    const uint8_t *text, size_t from, size_t count, bool *has_escape) {
    return scan(text, from, count, has_escape);
}
#endif

size_t cscan_string_narrow(const void *text, size_t from, size_t count, bool *has_escape) {
    return scan(text, from, count, has_escape);
}

size_t cscan_string(const void *text, size_t from, size_t count, bool *has_escape) {
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2")) return scan_wide(text, from, count, has_escape);
#endif
    return scan(text, from, count, has_escape);
}
