"""Whether answers are what the OpenAPI document says."""

from __future__ import annotations

import re
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import jsonschema

from spanglass_server.api.openapi import describe_api

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx


def described_by(routes: Any) -> Callable[[httpx.Response], None]:
    """Return a check that an answer has the schema that the routes' description gives it."""
    schemas = {
        (re.compile(re.sub(r"{\w+}", "[^?]+", path)), method.upper()): operation["responses"]["200"]
        for path, methods in describe_api(routes, "1")["paths"].items()
        for method, operation in methods.items()
    }

    def check(response: httpx.Response) -> None:
        asked = response.request
        if response.status_code != 200:
            return
        response.read()
        found = [
            (len(path.pattern), described["content"]["application/json"]["schema"])
            for (path, method), described in schemas.items()
            if method == asked.method and path.fullmatch(asked.url.path)
        ]
        if found:
            jsonschema.validate(response.json(), max(found, key=itemgetter(0))[1], jsonschema.Draft202012Validator)

    return check
