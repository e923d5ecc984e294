"""What a log record's line in a list says, and what besides its body."""

from __future__ import annotations

import pytest

from spanglass_server.pages.rendering.exceptions import line_text, rest_of_line

RAISED = {"exception.type": "KeyError", "exception.message": "'sku'"}


@pytest.mark.parametrize(
    ("body", "event", "attributes", "text"),
    [
        ("hello", "order.failed", RAISED, "hello"),
        (0, "", {}, 0),
        ({"a": 1}, "order.failed", {}, {"a": 1}),
        (None, "order.failed", RAISED, "order.failed"),
        ("", "exception", RAISED, "KeyError: 'sku'"),
        (None, "", {"exception.type": "KeyError"}, "KeyError"),
        (None, "exception", {}, "exception"),
        (None, "", {}, ""),
    ],
)
def test_a_record_without_a_body_has_a_line(body, event, attributes, text):
    """Its event's name, or where that is missing or says no more than "exception", its exception."""
    assert line_text({"body": body, "event_name": event, "attributes": attributes}) == text


def test_what_every_record_has_is_left_out():
    """The place in the code, threads and users stand in the details; what is the record's own stays, in its order."""
    attributes = {
        "code.file.path": "shop.py",
        "thread.id": 1,
        "sku": "p-13",
        "exception.stacktrace": "Traceback",
        "spanglass.message.template": "{sku}",
        "exception.type": "ValueError",
    }

    assert list(rest_of_line(attributes).items()) == [("sku", "p-13"), ("exception.type", "ValueError")]
