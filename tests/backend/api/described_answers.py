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
        (re.compile(re.sub(r"{\w+}", "[^?]+", path)), method.upper()): min(operation["responses"].items())
        for path, methods in describe_api(routes, "1")["paths"].items()
        for method, operation in methods.items()
    }

    def check(response: httpx.Response) -> None:
        asked = response.request
        if not response.is_success or not response.headers.get("content-type", "").startswith("application/json"):
            return
        response.read()
        found = [
            (len(path.pattern), status, described["content"]["application/json"]["schema"])
            for (path, method), (status, described) in schemas.items()
            if method == asked.method and path.fullmatch(asked.url.path) and "application/json" in described["content"]
        ]
        if found:
            _, status, schema = max(found, key=itemgetter(0))
            assert str(response.status_code) == status
            jsonschema.validate(response.json(), schema, jsonschema.Draft202012Validator)

    return check
