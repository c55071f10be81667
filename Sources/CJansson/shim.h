// jansson, with the nullability that its header does not state and the macros Swift cannot see.
#pragma once
#include <jansson.h>
#include <string.h>

/// Parses one value; `NULL` with `error` filled in. The caller owns the result.
static inline json_t *_Nullable cjansson_load(const void *_Nullable text, size_t count,
                                              json_error_t *_Nonnull error) {
    return json_loadb((const char *)text, count, JSON_DECODE_ANY, error);
}

/// jansson's own words about an error, without what stands near it: that is no text of the user's.
static inline const char *_Nonnull cjansson_error_text(json_error_t *_Nonnull error) {
    char *near = strstr(error->text, " near ");
    if (json_error_code(error) == json_error_premature_end_of_input)
        return "the text ends too early";
    if (near)
        *near = 0;
    return error->text;
}

/// A borrowed member, the last of that name.
static inline json_t *_Nullable cjansson_member(const json_t *_Nonnull object,
                                                const void *_Nonnull key, size_t count) {
    return json_object_getn(object, (const char *)key, count);
}
