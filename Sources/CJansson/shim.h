// jansson, with the nullability that its header does not state and the macros Swift cannot see.
#pragma once
#include <jansson.h>

/// Sets a member in place of an older one of that name; takes the value over, whatever comes of it.
/// Not 0 when there is no memory.
static inline int cjansson_set(json_t *_Nonnull object, const void *_Nullable key, size_t count,
                               json_t *_Nonnull value) {
    return json_object_setn_new_nocheck(object, (const char *)key, count, value);
}

/// A borrowed member, the last of that name.
static inline json_t *_Nullable cjansson_member(const json_t *_Nonnull object,
                                                const void *_Nonnull key, size_t count) {
    return json_object_getn(object, (const char *)key, count);
}
