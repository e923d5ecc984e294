"""Asking a URL, and looking at what it answers."""

from __future__ import annotations

import base64
import re
from time import monotonic_ns
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urljoin

import orjson

from spanglass_server.egress.http import Request
from spanglass_server.forms.secrets import SecretSource
from spanglass_server.health.checkers.certificates import context_of
from spanglass_server.health.checkers.outcome import Outcome, healthy, unhealthy, unless_slow

if TYPE_CHECKING:
    from spanglass_server.egress.egress import Egress
    from spanglass_server.egress.http import Answer
    from spanglass_server.health.check import Http

_MAX_BYTES: Final = 1 << 20
_REDIRECTS: Final = 10
_SHOWN: Final = 100
_MISSING: Final = object()
_STEP: Final = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


async def check_http(http: Http, egress: Egress, timeout_s: float) -> Outcome:
    """Ask once. Raises ``OSError`` for what egress says, ``SecretError``."""
    began_ns = monotonic_ns()
    answer = await egress.send(_request(http, timeout_s))
    took_ns = monotonic_ns() - began_ns
    figures = {"http.status": float(answer.status), "bytes": float(len(answer.body))}
    problem = _problem(http, answer)
    if problem:
        return unhealthy(problem, **figures)
    return unless_slow(healthy(f"status {answer.status}", **figures), took_ns, http.slower_than_ns)


def _request(http: Http, timeout_s: float) -> Request:
    headers = {
        name: value.reveal() if isinstance(value, SecretSource) else value for name, value in http.headers.items()
    }
    if http.user and http.password is not None:
        login = f"{http.user}:{http.password.reveal()}".encode()
        headers["authorization"] = f"Basic {base64.b64encode(login).decode()}"
    return Request(
        url=http.url,
        method=http.method,
        headers=headers,
        body=http.body.encode(),
        timeout_s=timeout_s,
        max_bytes=_MAX_BYTES,
        redirects=_REDIRECTS if http.follow_redirects and not http.redirects_to else 0,
        tls=context_of(verify=http.verify, ca_file=http.ca_file),
    )


def _problem(http: Http, answer: Answer) -> str:
    """What is wrong with an answer, "" if nothing is."""
    wanted = ("3xx",) if http.redirects_to and http.status == ("2xx",) else http.status
    if not any(_is_status(answer.status, each) for each in wanted):
        return f"it answers with status {answer.status}, not {' or '.join(wanted)}"
    if http.redirects_to:
        place = urljoin(http.url, answer.headers.get("location", ""))
        if place != urljoin(http.url, http.redirects_to):
            return f"it redirects to {place}, not to {http.redirects_to}"
    if http.contains and http.contains not in answer.text:
        return f"the answer does not hold {http.contains[:_SHOWN]!r}{_cut(answer)}"
    if http.lacks and http.lacks in answer.text:
        return f"the answer holds {http.lacks[:_SHOWN]!r}"
    return _json_problem(http, answer) if http.json else ""


def _is_status(status: int, wanted: str) -> bool:
    if wanted.endswith("xx"):
        return str(status)[0] == wanted[0]
    first, _, last = wanted.partition("-")
    return int(first) <= status <= int(last or first)


def _json_problem(http: Http, answer: Answer) -> str:
    try:
        value = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return f"the answer is not JSON{_cut(answer)}"
    for path, wanted in http.json.items():
        found = at_path(value, path)
        text = "missing" if found is _MISSING else _written(found)
        if text != wanted or found is _MISSING:
            return f"{path} is {text[:_SHOWN]}, not {wanted[:_SHOWN]}"
    return ""


def at_path(value: Any, path: str) -> Any:
    """The value at a path such as ``data.items[0].state``; a ``$.`` before it is that of JSONPath."""
    for name, number in _STEP.findall(path.removeprefix("$").removeprefix(".")):
        if number:
            if not isinstance(value, list) or int(number) >= len(value):
                return _MISSING
            value = value[int(number)]
        elif isinstance(value, dict) and name in value:
            value = value[name]
        else:
            return _MISSING
    return value


def _written(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _cut(answer: Answer) -> str:
    return f" within its first {_MAX_BYTES} bytes" if answer.is_cut else ""
