// jansson, and the few of its macros that Swift cannot see.
#pragma once
#include <jansson.h>
