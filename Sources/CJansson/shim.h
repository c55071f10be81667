// jansson, with the nullability that its header does not state and the macros Swift cannot see.
#pragma once
#include <jansson.h>

/// Sets a member in place of an older one of that name; takes the value over, whatever comes of it.
/// Not 0 when there is no memory.
static inline int cjansson_set(json_t *_Nonnull object, const void *_Nullable key, size_t count,
                               json_t *_Nonnull value) {
    return json_object_setn_new_nocheck(object, (const char *)key, count, value);
}

/// An integer. The first ones are shared by all trees, so that most trees need none of their own:
/// jansson neither counts references to a node with this count nor frees it.
static inline json_t *_Nullable cjansson_reference(size_t number) {
    static json_t *shared[512];
    if (number >= sizeof shared / sizeof *shared) return json_integer((json_int_t)number);
    json_t *known = __atomic_load_n(&shared[number], __ATOMIC_ACQUIRE);
    if (known) return known;
    json_t *node = json_integer((json_int_t)number);
    if (!node) return NULL;
    node->refcount = (size_t)-1;
    if (__atomic_compare_exchange_n(&shared[number], &known, node, 0, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE))
        return node;
    node->refcount = 1;  // another thread was faster
    json_decref(node);
    return known;
}

/// A borrowed member, the last of that name.
static inline json_t *_Nullable cjansson_member(const json_t *_Nonnull object,
                                                const void *_Nonnull key, size_t count) {
    return json_object_getn(object, (const char *)key, count);
}
