"""What a strict Chat Completions server would say about a request.

Open models behind lenient servers take nearly anything; this holds translated requests to the
published rules of the strictest, so that a mistake shows here and not in somebody's session.
"""

import json
import re

NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
CALL_ID = re.compile(r"[a-zA-Z0-9_-]{1,40}")

TOP_LEVEL = {
    "model", "messages", "tools", "tool_choice", "parallel_tool_calls", "stream", "stream_options",
    "max_tokens", "max_completion_tokens", "temperature", "top_p", "stop", "response_format",
    "reasoning_effort", "prompt_cache_key", "user",
}

# reasoning_content is no part of the standard; the servers that think with it want it back.
MESSAGE_KEYS = {
    "system": {"role", "content"},
    "user": {"role", "content"},
    "assistant": {"role", "content", "tool_calls", "reasoning_content"},
    "tool": {"role", "content", "tool_call_id"},
}

PART_KEYS = {
    "text": {"type", "text"},
    "image_url": {"type", "image_url"},
    "file": {"type", "file"},
}

# Keys of the Messages API that must not travel on, wherever they stood.
ANTHROPIC_KEYS = {
    "cache_control", "citations", "defer_loading", "input_schema", "tool_use_id", "is_error",
    "signature", "context_management", "metadata", "safeguards", "thinking", "output_config",
}


def violations(body):
    """Every rule that a request breaks, a sentence each."""
    return list(_request(body))


def _request(body):
    yield from (f"unknown parameter {key}" for key in sorted(body.keys() - TOP_LEVEL))
    if not isinstance(body.get("model"), str) or not body["model"]:
        yield "no model"
    if "max_tokens" in body and "max_completion_tokens" in body:
        yield "both max_tokens and max_completion_tokens"
    if "stream_options" in body and not body.get("stream"):
        yield "stream_options without stream"
    if body.get("stream") and not (body.get("stream_options") or {}).get("include_usage"):
        yield "a stream that will not report its usage"
    if "stop" in body and not 1 <= len(body["stop"]) <= 4:
        yield "stop holds other than 1 to 4 sequences"
    for key in ("tool_choice", "parallel_tool_calls"):
        if key in body and "tools" not in body:
            yield f"{key} without tools"
    if "tools" in body:
        yield from _tools(body["tools"])
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        yield "no messages"
        return
    yield from _messages(messages)


def _tools(tools):
    if not tools:
        yield "an empty list of tools"
    names = []
    for tool in tools:
        if tool.keys() != {"type", "function"} or tool["type"] != "function":
            yield f"a tool with keys {sorted(tool)}"
            continue
        function = tool["function"]
        names.append(function.get("name"))
        extra = function.keys() - {"name", "description", "parameters", "strict"}
        if extra:
            yield f"tool {names[-1]} has {sorted(extra)}"
        if not NAME.fullmatch(names[-1] or ""):
            yield f"a tool named {names[-1]!r}"
        schema = function.get("parameters", {"type": "object"})
        if schema.get("type") != "object":
            yield f"the schema of {names[-1]} is no object"
        if "anyOf" in schema or "oneOf" in schema or "allOf" in schema:
            yield f"the schema of {names[-1]} branches at its root"
    yield from (f"two tools named {n}" for n in sorted(set(names)) if names.count(n) > 1)


def _messages(messages):
    open_calls, seen = [], set()
    for place, message in enumerate(messages):
        where, role = f"message {place}", message.get("role")
        if role not in MESSAGE_KEYS:
            yield f"{where} has role {role!r}"
            continue
        extra = message.keys() - MESSAGE_KEYS[role]
        if extra:
            yield f"{where} ({role}) has {sorted(extra)}"
        if open_calls and role != "tool":
            yield f"{where} ({role}) comes before the results of {open_calls}"
            open_calls = []
        if role == "tool":
            if message.get("tool_call_id") in open_calls:
                open_calls.remove(message["tool_call_id"])
            else:
                yield f"{where} is the result of no open call"
        calls = message.get("tool_calls", [])
        if "tool_calls" in message and not calls:
            yield f"{where} has an empty list of calls"
        for call in calls:
            yield from _call(where, call, seen)
            open_calls.append(call.get("id"))
        yield from _content(where, role, message.get("content"), bool(calls))
    if open_calls:
        yield f"the results of {open_calls} are missing"


def _call(where, call, seen):
    function = call.get("function", {})
    if call.keys() != {"id", "type", "function"} or call["type"] != "function":
        yield f"{where}: a call with keys {sorted(call)}"
    if function.keys() != {"name", "arguments"}:
        yield f"{where}: a called function with keys {sorted(function)}"
    if not CALL_ID.fullmatch(call.get("id") or ""):
        yield f"{where}: a call with the id {call.get('id')!r}"
    if call.get("id") in seen:
        yield f"{where}: a second call with the id {call['id']}"
    seen.add(call.get("id"))
    if not NAME.fullmatch(function.get("name") or ""):
        yield f"{where}: a call of {function.get('name')!r}"
    try:
        if not isinstance(json.loads(function["arguments"]), dict):
            yield f"{where}: arguments that are no object"
    except (KeyError, TypeError, ValueError):
        yield f"{where}: arguments that are no JSON"


def _content(where, role, content, has_calls):
    if content in (None, "", []):
        if role != "tool" and not has_calls:
            yield f"{where} ({role}) is empty"
        if content == [] or (content is None and role != "assistant"):
            yield f"{where} ({role}) has content {content!r}"
        return
    if isinstance(content, str):
        return
    kinds = PART_KEYS if role == "user" else {"text": PART_KEYS["text"]}
    for part in content:
        if part.get("type") not in kinds:
            yield f"{where} ({role}) has a part of type {part.get('type')!r}"
        elif part.keys() != kinds[part["type"]]:
            yield f"{where} has a {part['type']} part with keys {sorted(part)}"
        elif part["type"] == "image_url":
            if not part["image_url"]["url"].startswith(("data:image/", "https://", "http://")):
                yield f"{where} has an image without a picture"


def leftovers(body):
    """Keys of the Messages API outside of what a tool or its caller wrote."""
    if isinstance(body, list):
        return set().union(*map(leftovers, body)) if body else set()
    if not isinstance(body, dict):
        return set()
    found = body.keys() & ANTHROPIC_KEYS
    return found.union(*(leftovers(v) for k, v in body.items() if k != "parameters"))


def text_of(message):
    """The text of a message, whichever way it is written."""
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "\n".join(part["text"] for part in content if part["type"] == "text")
