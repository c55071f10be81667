"""Summaries of a conversation for the official SDK, whose tool runner asks for them."""

import anthropic
import httpx
import pytest

from test_dialects import start
from upstream import completion, text_stream, tool_call

CALL = completion(None, "tool_calls", tool_calls=[tool_call("add", '{"a":1,"b":2}')])


@pytest.fixture
def sidecar(upstream):
    with start(upstream, COMPACTION="emulate") as sidecar:
        yield sidecar


def run(sidecar, upstream, is_stream):
    """Runs a tool that wants a compaction behind it; what went upstream then and behind that."""
    @anthropic.beta_tool
    def add(a: int, b: int) -> str:
        """Adds.

        Args:
            a: one
            b: other
        """
        runner.compact_before_next_turn()
        return str(a + b)

    runner = sidecar.client().beta.messages.tool_runner(
        model="claude-x", max_tokens=64, tools=[add], stream=is_stream,
        messages=[{"role": "user", "content": "1+2"}])
    assert runner.until_done().content[0].text == "3"
    asked, after = [upstream.next_request().body for _ in range(3)][1:]
    assert "tools" not in asked and asked["messages"][-1]["content"].startswith("Summarise")
    metrics = httpx.get(sidecar.url + "/metrics").text
    [counted] = [line for line in metrics.splitlines() if 'reason="compaction"' in line]
    assert counted.endswith(" 1")
    return after["messages"]


@pytest.mark.parametrize("is_stream", [False, True])
def test_tool_runner_compacts_its_conversation(sidecar, upstream, is_stream):
    upstream.then(CALL).then(completion("They added 1 and 2.")).then(completion("3"))
    assert run(sidecar, upstream, is_stream) == [
        {"role": "user",
         "content": "<conversation-summary>\nThey added 1 and 2.\n</conversation-summary>"}]


@pytest.mark.parametrize("is_stream", [False, True])
def test_a_summary_that_was_cut_replaces_nothing(sidecar, upstream, is_stream):
    upstream.then(CALL).then(completion("They added", "length")).then(completion("3"))
    messages = run(sidecar, upstream, is_stream)
    assert [m["role"] for m in messages] == ["user", "assistant", "tool"]
    assert "They added" not in str(messages)


def test_a_streamed_summary_comes_in_one_delta(sidecar, upstream):
    upstream.then(text_stream("They ", "asked."))
    with sidecar.client().beta.messages.stream(
            model="claude-x", max_tokens=64, compaction={"type": "summarize"},
            messages=[{"role": "user", "content": "hi"}]) as stream:
        deltas = [e.delta for e in stream if e.type == "content_block_delta"]
        message = stream.get_final_message()
    assert [d.content for d in deltas] == ["They asked."] and message.stop_reason == "compaction"
    [block] = message.content
    assert (block.type, block.content) == ("compaction", "They asked.")
    assert block.signature.startswith("oai1.")
