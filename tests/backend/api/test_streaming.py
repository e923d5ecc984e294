"""Answers in parts: sent as they are made, and seen to be broken off when one fails."""

from __future__ import annotations

import httpx
import pytest

from spanglass_server.api.errors import ApiError
from spanglass_server.api.params import Param
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import STRING
from spanglass_server.api.streaming import Streamed


class PlainEngine:
    """Runs questions at once, without a session."""

    async def run(self, query, *, deadline_s):
        """Run one question."""
        del deadline_s
        return query(None)


def counting(upto, failing=None):
    """Make a route that writes numbers, one in a part; at ``failing`` it fails."""

    def part(_session, _params, place):
        number = place or 0
        if number == failing:
            raise ApiError("timeout", "too slow", hint="ask for less")
        return f"{number}\n".encode(), number + 1 if number < upto else None

    streamed = Streamed(part, {"txt": "text/plain"}, "numbers")
    form = Param("format", "choice", "txt", choices=("txt",))
    return Route(path="/numbers", summary="Count.", parameters=(form,), response=STRING, streamed=streamed)


def test_parts_follow_each_other(serve_api):
    """Each part begins where the one before ended; the answer is a file."""
    answer = serve_api(PlainEngine(), routes=[counting(3)]).get("/api/v1/numbers")
    assert (answer.status_code, answer.text) == (200, "0\n1\n2\n3\n")
    assert answer.headers["content-disposition"] == 'attachment; filename="numbers.txt"'


def test_a_part_that_fails_cuts_the_answer(serve_api):
    """The first part's error is told as all are; a later one ends the connection, so nobody takes a part for all."""
    answer = serve_api(PlainEngine(), routes=[counting(3, failing=0)]).get("/api/v1/numbers")
    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "timeout")
    client = serve_api(PlainEngine(), routes=[counting(3, failing=2)])
    with pytest.raises(httpx.RemoteProtocolError):
        client.get("/api/v1/numbers")
