"""How pages call the API within the process."""

from __future__ import annotations

import asyncio
import gc

import orjson
import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from spanglass_server.pages.ports import ApiError
from spanglass_server.process import in_process_api
from spanglass_server.process.in_process_api import InProcessApi


async def echo(request):
    """Answer with the parameters."""
    return JSONResponse({"given": request.query_params.multi_items()})


async def refuse(_):
    """Fail as Prometheus' API does."""
    return JSONResponse({"status": "error", "errorType": "bad_data", "error": "1:5: parse error"}, 400)


async def asked(request):
    """Answer with the body."""
    return JSONResponse({"body": await request.json(), "type": request.headers["content-type"]})


API = InProcessApi(
    Starlette(routes=[Route("/echo", echo), Route("/refuse", refuse), Route("/asked", asked, methods=["POST"])])
)


def test_a_question_may_have_a_body():
    """With a body the request is a POST of it as JSON."""
    answer = asyncio.run(API("/asked", {}, {"panel": {"type": "line"}}))
    assert answer == {"body": {"panel": {"type": "line"}}, "type": "application/json"}


def test_parameters_may_be_repeated():
    """A list of values is the parameter, repeated."""
    assert asyncio.run(API("/echo", {"match[]": ["up", "x"], "limit": "3"})) == {
        "given": [["match[]", "up"], ["match[]", "x"], ["limit", "3"]]
    }


def test_errors_of_prometheus_are_errors():
    """An error in Prometheus' shape has a code and a message like any other."""
    with pytest.raises(ApiError) as refused:
        asyncio.run(API("/refuse", {}))

    assert (refused.value.status, refused.value.code, str(refused.value)) == (400, "bad_data", "1:5: parse error")


def test_no_collector_looks_at_large_answers_while_they_are_read(monkeypatch):
    """All of their parts stay; afterwards it is on again."""
    seen = []

    def read(body, _status):
        seen.append(gc.isenabled())
        return orjson.loads(body)

    monkeypatch.setattr(in_process_api, "_read", read)
    for letters in (10, 300_000):
        assert asyncio.run(API("/echo", {"text": "x" * letters})) == {"given": [["text", "x" * letters]]}
    assert seen == [True, False]
    assert gc.isenabled()
