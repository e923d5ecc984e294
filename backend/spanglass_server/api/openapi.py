"""The OpenAPI 3.1 document of the routes, made from the table that serves them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.api.errors import STATUS_OF_CODE
from spanglass_server.api.routing import PREFIX
from spanglass_server.api.schema import INTEGER, STRING, array, choice

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from spanglass_server.api.params import Param
    from spanglass_server.api.routing import Route

_ERROR_FIELDS = {
    "code": choice(*STATUS_OF_CODE),
    "message": STRING,
    "field": {**STRING, "description": "the parameter at fault"},
    "column": {**INTEGER, "description": "where in that parameter, counted from 1"},
    "expected": array(STRING),
    "hint": {**STRING, "description": "what to do next"},
}
ERROR = {
    "type": "object",
    "properties": {"error": {"type": "object", "properties": _ERROR_FIELDS, "required": ["code", "message"]}},
    "required": ["error"],
}


def describe_api(
    routes: Iterable[Route], version: str, more_paths: Mapping[str, dict[str, Any]] | None = None
) -> dict[str, Any]:
    """Write the document: every route with its parameters and answers (openapis.org, OAS 3.1), then ``more_paths``."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.documented_path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Spanglass",
            "version": version,
            "description": "Traces, logs and metrics: search, groups, series and SQL.",
        },
        "paths": {**paths, **(more_paths or {})},
        "components": {
            "schemas": {"Error": ERROR},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "the read token"}},
        },
        "security": [{}, {"token": []}],
    }


def _operation(route: Route) -> dict[str, Any]:
    """One route's operation object."""
    operation: dict[str, Any] = {
        "operationId": _operation_id(route),
        "summary": route.summary,
        "parameters": [_parameter(param, route) for param in route.parameters],
        "responses": {
            str(route.status): {
                "description": "The answer.",
                "content": {media_type: {"schema": route.response} for media_type in _media_types(route)},
            },
            "default": {
                "description": "What went wrong.",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
            },
        },
    }
    if route.description:
        operation["description"] = route.description
    if route.body is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": route.body}}}
    return operation


def _media_types(route: Route) -> Iterable[str]:
    return route.streamed.media_types.values() if route.streamed else ("application/json",)


def _operation_id(route: Route) -> str:
    """Make a name for clients that are generated: ``get_services_service_operations``."""
    path = route.full_path.removeprefix(PREFIX).removeprefix("/api").replace(":path", "")
    words = "".join(letter if letter.isalnum() else " " for letter in path).split()
    return "_".join([route.method.lower(), *words])


def _parameter(param: Param, route: Route) -> dict[str, Any]:
    """One parameter object."""
    in_path = param.name in route.path_names
    described: dict[str, Any] = {
        "name": param.name,
        "in": "path" if in_path else "header" if param.header else "query",
        "required": in_path or param.required,
        "schema": param.schema,
    }
    if param.help:
        described["description"] = param.help
    return described
