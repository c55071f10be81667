"""A strict upstream that plays a model doing a coding agent's work.

Which step comes next is read from the request's own history, so a client may repeat a request.
"""

import json
import threading

from strict import leftovers, text_of, violations
from upstream import USAGE, chunk

GREETING = "hello from the agent loop"
LAST_WORDS = "The file says hello. Fertig ✓ 完了 LOOP-DONE"


class AgentLoop:
    """Runs a command, reads the file that it wrote, says a last word.

    With `parallel`, three commands run side by side in between, one of them failing. With
    `reasoning`, thoughts come before every answer and must come back in the history.
    """

    def __init__(self, folder, *, parallel=False, reasoning=False, split=0, disturb=None):
        self.folder, self.parallel, self.reasoning = folder, parallel, reasoning
        self.split = split
        self.complaints = []
        self.is_finished = False
        self._disturb = disturb
        self._lock = threading.Lock()
        self._call_count = 0

    def __call__(self, connection):
        body = connection.request.body
        complaints = violations(body) + [f"{key} was left over" for key in leftovers(body)]
        names = {tool["function"]["name"] for tool in body.get("tools", [])}
        is_agent = {"Bash", "Read"} <= names
        if is_agent:
            complaints += self._history(body["messages"])
        with self._lock:
            self.complaints += complaints
            disturb, self._disturb = (self._disturb, None) if is_agent else (None, self._disturb)
        if complaints:
            return connection.json({"error": {"message": complaints[0]}}, status=400)
        if disturb:
            return disturb(connection)
        text, calls = self._step(body["messages"]) if is_agent else ('{"title":"Greeting"}', [])
        self._answer(connection, body, text, calls)

    def _history(self, messages):
        """What must have survived of the conversation."""
        everything = "\n".join(text_of(m) for m in messages)
        if "billing-header" in everything:
            yield "the billing header was sent on"
        if sum(m["role"] == "system" for m in messages[:2]) != 1 or messages[0]["role"] != "system":
            yield "there is not one system message at the front"
        if self.folder not in everything:
            yield "the environment, with the working folder, is lost"
        results = {m["tool_call_id"]: text_of(m) for m in messages if m["role"] == "tool"}
        for message in messages:
            for call in message.get("tool_calls", []):
                wanted = self._expected(json.loads(call["function"]["arguments"]))
                if wanted not in results.get(call["id"], ""):
                    yield f"the result {results.get(call['id'])!r} lacks {wanted!r}"
            if self.reasoning and message["role"] == "assistant":
                if "thinking it through" not in message.get("reasoning_content", ""):
                    yield "the reasoning did not come back"

    @staticmethod
    def _expected(arguments):
        if "no-such" in arguments.get("command", ""):
            return "No such file"
        return "side by side" if "side" in arguments.get("command", "") else GREETING

    def _step(self, messages):
        done = sum("tool_calls" in message for message in messages)
        path = f"{self.folder}/greeting.txt"
        steps = [("I will write it.", [("Bash", {
            "command": f"echo '{GREETING}' > greeting.txt && cat greeting.txt",
            "description": "Write a greeting"})])]
        if self.parallel:
            steps.append(("", [("Bash", {"command": command, "description": "Try"}) for command in (
                "echo side by side | tee one.txt", "echo side by side | tee two.txt",
                "ls no-such-file")]))
        steps.append(("Now I read it back.", [("Read", {"file_path": path})]))
        if done < len(steps):
            return steps[done]
        self.is_finished = True
        return LAST_WORDS, []

    def _identifier(self):
        with self._lock:
            self._call_count += 1
            return f"call_{self._call_count}"

    def _answer(self, connection, body, text, calls):
        calls = [{"index": index, "id": self._identifier(), "type": "function",
                  "function": {"name": name, "arguments": json.dumps(arguments)}}
                 for index, (name, arguments) in enumerate(calls)]
        finish = "tool_calls" if calls else "stop"
        thoughts = "I am thinking it through. " if self.reasoning else ""
        if not body.get("stream"):
            message = {"role": "assistant", "content": text or None}
            if thoughts:
                message["reasoning_content"] = thoughts
            if calls:
                message["tool_calls"] = calls
            return connection.json({
                "id": "same-every-time", "object": "chat.completion", "usage": USAGE,
                "choices": [{"index": 0, "message": message, "finish_reason": finish}]})
        chunks = [chunk({"role": "assistant", "content": ""})]
        chunks += [chunk({"reasoning_content": part}) for part in pieces(thoughts, 7)]
        chunks += [chunk({"content": part}) for part in pieces(text, 5)]
        for call in calls:
            start = {**call, "function": {"name": call["function"]["name"], "arguments": ""}}
            chunks.append(chunk({"tool_calls": [start]}))
            chunks += [chunk({"tool_calls": [{"index": call["index"],
                                              "function": {"arguments": part}}]})
                       for part in pieces(call["function"]["arguments"], 11)]
        chunks += [chunk({}, finish), chunk(usage=USAGE), "[DONE]"]
        connection.stream(chunks, split=self.split)


def pieces(text, size):
    return [text[start:start + size] for start in range(0, len(text), size)]


def cut_in_a_call(connection):
    """Starts a tool call and drops the connection in the middle of its arguments."""
    connection.begin()
    connection.event(chunk({"content": "I will"}))
    connection.event(chunk({"tool_calls": [{
        "index": 0, "id": "call_cut", "type": "function",
        "function": {"name": "Bash", "arguments": '{"command":"echo cut > greeting.txt'}}]}))
    connection.reset()
    return "close"


def fail_in_a_stream(connection):
    """Starts an answer and reports an error inside it."""
    connection.begin()
    connection.event(chunk({"content": "I will"}))
    connection.event({"error": {"message": "the model fell over", "type": "server_error"}})
    connection.end()


def too_many_requests(connection):
    connection.json({"error": {"message": "slow down", "code": "rate_limit_exceeded"}},
                    status=429, headers=[("retry-after", "1")])
