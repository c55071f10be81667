// Each tree of jansson's takes some memory per value and gives it back value by value: as much work
// as reading the text. Here a tree is a few blocks, taken by moving a pointer and freed as blocks.
#include "CArena.h"

#include <stdint.h>
#include <stdlib.h>

enum {
    alignment = 16,
    first_block = 4 * 1024,
    last_block = 256 * 1024,
};

struct block {
    struct block *before;
    size_t size;
};

static _Thread_local struct carena *used;

struct carena *carena_use(struct carena *arena) {
    struct carena *before = used;
    used = arena;
    return before;
}

void carena_clear(struct carena *arena) {
    for (struct block *block = arena->blocks; block;) {
        struct block *before = block->before;
        free(block);
        block = before;
    }
    *arena = (struct carena){0};
}

// Blocks grow with the tree, so that a big one needs few and a small one is small.
static void *add_block(struct carena *arena, size_t size) {
    struct block *last = arena->blocks;
    size_t wanted = last ? last->size * 2 : first_block;
    if (wanted > last_block) wanted = last_block;
    if (size > SIZE_MAX / 2) return NULL;
    if (wanted < size + sizeof(struct block)) wanted = size + sizeof(struct block);
    struct block *block = malloc(wanted);
    if (!block) return NULL;
    *block = (struct block){.before = last, .size = wanted};
    arena->blocks = block;
    arena->next = (char *)(block + 1) + size;
    arena->end = (char *)block + wanted;
    return block + 1;
}

void *carena_allocate(size_t size) {
    struct carena *arena = used;
    if (!arena) return malloc(size);
    if (size > SIZE_MAX - alignment) return NULL;
    size = (size + alignment - 1) & ~(size_t)(alignment - 1);
    if (size > (size_t)(arena->end - arena->next)) return add_block(arena, size);
    void *piece = arena->next;
    arena->next += size;
    return piece;
}

void carena_release(void *pointer) {
    if (!used) free(pointer);
}
