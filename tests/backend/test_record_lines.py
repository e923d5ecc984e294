"""What a log record's line in a list says besides its body."""

from __future__ import annotations

from spanglass_server.pages.exceptions import rest_of_line


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
