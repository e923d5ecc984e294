"""What spans mean by semantic conventions, of today and before."""

from __future__ import annotations

import orjson

from spanglass_core.model_prices import Prices, parse_prices
from spanglass_server.query.trace_views.genai import MOST_MESSAGES, MOST_TEXT
from spanglass_server.query.trace_views.meaning import meaning

PRICES = Prices(parse_prices("gpt-*=2/8"), "EUR")


def of(attributes, *events):
    """Read the meaning of a span with some attributes and events."""
    return meaning(
        {"attributes": attributes, "events": [{"name": name, "attributes": own} for name, own in events]}, PRICES
    )


def said(attributes, *events):
    """Return the messages of a call as pairs."""
    call = of({"gen_ai.system": "x", **attributes}, *events)["genai"]
    return [(message["role"], message["text"]) for message in call["messages"]]


def test_a_span_of_nothing_known_means_nothing():
    """Spans of other things have no part of it."""
    assert of({"http.route": "/"}) == {"statement": None, "messaging": None, "genai": None}


def test_a_statement_is_laid_out_under_either_name():
    """The text stands over several lines, with what else is said of the query."""
    expected = {"system": "postgresql", "database": "shop", "text": "SELECT a\nFROM t\nWHERE b = 1", "rows": 3}
    text = "SELECT a FROM t WHERE b = 1"
    new = {
        "db.query.text": text,
        "db.system.name": "postgresql",
        "db.namespace": "shop",
        "db.response.returned_rows": 3,
    }
    old = {"db.statement": text, "db.system": "postgresql", "db.name": "shop", "db.response.returned_rows": "3"}
    assert of(new)["statement"] == of(old)["statement"] == expected


def test_a_message_says_where_it_was():
    """System, operation and destination, and those facts that the sender gives."""
    attributes = {
        "messaging.system": "kafka",
        "messaging.operation": "process",
        "messaging.destination.name": "orders",
        "messaging.kafka.consumer.group": "billing",
        "messaging.kafka.message.offset": 0,
    }
    assert of(attributes)["messaging"] == {
        "system": "kafka",
        "operation": "process",
        "destination": "orders",
        "facts": [{"name": "consumer group", "value": "billing"}, {"name": "offset", "value": "0"}],
    }


def test_a_call_of_a_model_has_tokens_and_a_price():
    """By hand: 1 000 tokens in at 2 and 500 out at 8 for a million are 0.006."""
    attributes = {
        "gen_ai.provider.name": "openai",
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "gpt-5",
        "gen_ai.usage.prompt_tokens": 1000,
        "gen_ai.usage.output_tokens": 500,
        "gen_ai.response.finish_reasons": ["stop"],
    }
    call = of(attributes)["genai"]
    assert (call["input_tokens"], call["output_tokens"], call["cached_tokens"]) == (1000, 500, None)
    assert call["cost"] == {"amount": 0.006, "currency": "EUR"}
    assert call["finish"] == "stop"
    assert of({**attributes, "gen_ai.request.model": "llama"})["genai"]["cost"] is None
    assert of({"gen_ai.system": "openai", "gen_ai.request.model": "gpt-5"})["genai"]["cost"] is None


def test_messages_of_all_ages_read_the_same():
    """JSON in attributes, an event each, and numbered attributes tell one conversation."""
    call = {"type": "tool_call", "name": "price", "arguments": {"sku": 1}}
    asked = [
        {"role": "system", "parts": [{"type": "text", "content": "be brief"}]},
        {"role": "user", "parts": [{"content": "hi"}]},
    ]
    answered = [{"role": "assistant", "parts": [{"type": "text", "content": "hello"}, call]}]
    expected = [("system", "be brief"), ("user", "hi"), ("assistant", "hello")]

    new = said(
        {
            "gen_ai.input.messages": orjson.dumps(asked).decode(),
            "gen_ai.output.messages": orjson.dumps(answered).decode(),
        }
    )
    assert new == [*expected, ("assistant", 'price({\n  "sku": 1\n})')]
    events = (
        ("gen_ai.system.message", {"content": "be brief"}),
        ("gen_ai.user.message", {"content": "hi"}),
        ("gen_ai.choice", {"message": '{"role": "assistant", "content": "hello"}'}),
    )
    assert said({}, *events) == expected
    numbered = {
        "gen_ai.prompt.0.role": "system", "gen_ai.prompt.0.content": "be brief", "gen_ai.prompt.1.content": "hi",
        "gen_ai.completion.0.content": "hello",
    }  # fmt: skip
    assert said(numbered) == expected


def test_odd_and_endless_conversations_are_bounded():
    """What is no JSON is shown as it is; long texts are cut, and so are long conversations."""
    assert said({"gen_ai.input.messages": "[no json"}) == [("user", "[no json")]
    assert said({"gen_ai.input.messages": '[1, null, {"role": 5, "parts": [[], {"x": 1}]}]'})[0] == ("user", "1")
    endless = orjson.dumps([{"content": "x" * (MOST_TEXT + 1)}] * (MOST_MESSAGES + 1)).decode()
    messages = said({"gen_ai.input.messages": endless})
    assert len(messages) == MOST_MESSAGES
    assert {len(text) for _, text in messages} == {MOST_TEXT}


def test_what_an_answer_cannot_hold_is_left_out_or_stays_a_text():
    """Counts beyond 63 bits are none, what is nested too deeply stays the text that it was, roles are short."""
    deep = "[" * 1_000 + "]" * 1_000
    usage = {"gen_ai.usage.input_tokens": "9" * 400, "gen_ai.usage.output_tokens": str(1 << 63)}
    call = of({"gen_ai.system": "x", "gen_ai.request.model": "gpt-4", "gen_ai.tool.call.result": deep, **usage})[
        "genai"
    ]
    assert (call["input_tokens"], call["output_tokens"], call["cost"]) == (None, None, None)
    assert [message["text"] for message in call["messages"]] == [deep]
    messages = orjson.dumps([{"role": "r" * 5_000, "content": "hello"}]).decode()
    assert said({"gen_ai.input.messages": messages}) == [("r" * 100, "hello")]
