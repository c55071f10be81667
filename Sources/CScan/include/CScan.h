// The one loop that sees each byte of a big body.
#pragma once
#include <stdbool.h>
#include <stddef.h>

/// Goes over the content of a JSON string from `from`, which is behind its opening quote: where the
/// first byte is that must be looked at, or `count` when there is none. That is the closing quote, a
/// byte that is not printable ASCII, or a backslash whose escape is not one of `\"`, `\n` and `\t`;
/// these pass, so that text of many short lines costs as much as text of one line; in the last
/// bytes of the text it may be one of these too.
///
/// The byte before `from` must be there and be no backslash. `has_escape` becomes true when a
/// backslash was passed, may when one is what was found, and stays what it was otherwise.
size_t cscan_string(
    const void *_Nonnull text, size_t from, size_t count, bool *_Nonnull has_escape);

/// The same with what each processor of its kind has; for tests, which compare both.
size_t cscan_string_narrow(
    const void *_Nonnull text, size_t from, size_t count, bool *_Nonnull has_escape);
