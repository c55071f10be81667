// Memory for trees that are built at once, never change and go as one.
#pragma once
#include <stddef.h>

/// The blocks of one tree. All zero is an empty one.
struct carena {
    void *_Nullable blocks;
    char *_Nullable next;
    char *_Nullable end;
};

/// What the calling thread allocates by `carena_allocate` comes from this arena until it is told
/// otherwise; `NULL` for the heap. Gives back what was used before.
struct carena *_Nullable carena_use(struct carena *_Nullable arena);

/// Gives back all that was allocated in an arena, which is then empty.
void carena_clear(struct carena *_Nonnull arena);

/// From the arena in use, or from the heap; `NULL` when there is no memory.
void *_Nullable carena_allocate(size_t size);

/// Back to the heap. What is in an arena stays there until the arena is cleared: while one is in
/// use nothing else may be released.
void carena_release(void *_Nullable pointer);
