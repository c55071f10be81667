// The one object that is compiled again for another commit; Package.swift defines the name.
#include "CBuild.h"

#ifndef CLAUDE_SIDECAR_COMMIT
#define CLAUDE_SIDECAR_COMMIT ""
#endif

const char *cbuild_commit(void) { return CLAUDE_SIDECAR_COMMIT; }
