// Fixed-arity doors to libcurl's variadic functions, which Swift cannot call.
#pragma once
#define CURL_DISABLE_TYPECHECK 1
#include <assert.h>
#include <curl/curl.h>
