// What the build was told of itself.
#pragma once

/// The commit that the sources are of; empty when nobody has told it.
const char *_Nonnull cbuild_commit(void);
