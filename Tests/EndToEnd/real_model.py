"""A real model server behind the sidecar: what it says is nonsense, how it says it is not.

Not part of the suite: `scripts/model` fetches the server and the weights and runs it.
"""

import os
import subprocess

import anthropic
import pytest

from conftest import Sidecar

TOOL = {"name": "get_weather", "description": "Weather of a city",
        "input_schema": {"type": "object", "properties": {"city": {"type": "string"}},
                         "required": ["city"]}}
COUNTING = [{"role": "user", "content": "Count: one, two, three,"}]
LONG = "The quick brown fox jumps over the lazy dog. "


@pytest.fixture(scope="session")
def client():
    server = subprocess.Popen(
        [os.environ["MODEL_PYTHON"], os.path.join(os.path.dirname(__file__), "llamacpp.py"),
         os.environ["MODEL_FOLDER"]],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    address = server.stdout.readline().strip()
    assert address, "the model server did not start"
    sidecar = Sidecar(
        OPENAI_BASE_URL=address, OPENAI_API_KEY="sk-x", DIALECT="llamacpp", MAX_RETRIES="0",
        COMPACTION="emulate")
    yield sidecar.client(timeout=120)
    assert sidecar.stop() == 0
    server.stdin.close()
    server.wait(20)


@pytest.fixture(params=["whole", "stream"])
def ask(client, request):
    """Asks for a message in both forms; the same greedy answer each time."""
    def ask(max_tokens=16, beta=False, **members):
        messages = client.beta.messages if beta else client.messages
        members = {"model": "gemma", "messages": COUNTING, "max_tokens": max_tokens,
                   "extra_body": {"temperature": 0}, **members}
        if request.param == "whole":
            return messages.create(**members)
        with messages.stream(**members) as stream:
            return stream.get_final_message()
    return ask


def test_text_and_usage(ask):
    message = ask()
    assert message.content[0].text and message.stop_reason == "max_tokens"
    usage = message.usage
    assert usage.output_tokens == 16 and usage.input_tokens + usage.cache_read_input_tokens > 10


def test_both_forms_say_the_same(client):
    members = {"model": "gemma", "messages": COUNTING, "max_tokens": 16,
               "extra_body": {"temperature": 0}}
    with client.messages.stream(**members) as stream:
        pieces = list(stream.text_stream)
    assert len(pieces) > 5
    assert "".join(pieces) == client.messages.create(**members).content[0].text


def test_a_stop_sequence_ends_the_answer(ask):
    text = ask().content[0].text
    word = text[8:12]
    message = ask(stop_sequences=[word])
    assert message.content[0].text == text[:text.index(word)]
    # The server keeps to itself that it has met one.
    assert message.stop_reason == "end_turn"


def test_stop_sequences_that_are_not_sent_are_met_here(ask):
    text = ask().content[0].text
    word = text[8:12]
    # The grammar of structured output and tools aside, vLLM and llama.cpp take any number.
    message = ask(stop_sequences=[f"never{n}" for n in range(1001)] + [word])
    assert message.content[0].text == text[:text.index(word)]
    assert (message.stop_reason, message.stop_sequence) == ("stop_sequence", word)


def test_a_prompt_that_is_too_long(ask):
    with pytest.raises(anthropic.BadRequestError, match=r"prompt is too long: \d+ tokens > 512"):
        ask(messages=[{"role": "user", "content": LONG * 60}])


def test_an_answer_that_fills_the_context_is_cut(ask):
    message = ask(max_tokens=900, messages=[{"role": "user", "content": LONG * 45}])
    assert message.stop_reason == "max_tokens" and message.content[0].text


def earlier_call(number, city):
    """A turn that shows the model how a tool is called: it is too small to be told."""
    return [
        {"role": "user", "content": f"What is the weather in {city}?"},
        {"role": "assistant", "content": [
            {"type": "tool_use", "id": f"toolu_{number}", "name": "get_weather",
             "input": {"city": city}}]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": f"toolu_{number}", "content": "sunny"}]},
        {"role": "assistant", "content": "It is sunny."}]


def test_a_call(ask):
    asked = {"role": "user", "content": "What is the weather in London?"}
    message = ask(max_tokens=40, tools=[TOOL], messages=[
        *earlier_call(1, "Paris"), *earlier_call(2, "Rome"), asked])
    [call] = [block for block in message.content if block.type == "tool_use"]
    assert call.name == "get_weather" and isinstance(call.input["city"], str)
    assert message.stop_reason in ("tool_use", "max_tokens")


def test_a_conversation_with_calls_goes_on(ask):
    message = ask(max_tokens=40, tools=[TOOL], messages=earlier_call(1, "Paris")[:-1])
    assert message.content


def test_structured_output(ask):
    schema = {"type": "object", "properties": {"n": {"enum": [1, 2]}}, "required": ["n"],
              "additionalProperties": False}
    message = ask(max_tokens=60, output_config={
        "format": {"type": "json_schema", "schema": schema}})
    assert message.content[0].text.replace(" ", "").replace("\n", "") in ('{"n":1}', '{"n":2}')


def test_a_prefill_is_gone_on_with_and_not_repeated(ask):
    message = ask(messages=COUNTING + [{"role": "assistant", "content": "four,"}])
    assert not message.content[0].text.startswith("four")


def test_pictures_are_refused_in_words(ask):
    picture = {"type": "image", "source": {
        "type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}}
    with pytest.raises(anthropic.BadRequestError, match="images are not supported"):
        ask(messages=[{"role": "user", "content": [picture]}])


def test_a_summary(ask):
    message = ask(beta=True, compaction={"type": "summarize"})
    assert [block.type for block in message.content] == ["compaction"]
    assert message.stop_reason == "compaction"


def test_tokens_are_counted_as_the_server_counts_once_it_was_asked(client):
    members = {"model": "gemma", "messages": [{"role": "user", "content": LONG * 15}]}
    usage = client.messages.create(max_tokens=1, **members).usage
    counted = client.messages.count_tokens(**members).input_tokens
    real = usage.input_tokens + usage.cache_read_input_tokens
    assert abs(counted - real) <= 0.15 * real
