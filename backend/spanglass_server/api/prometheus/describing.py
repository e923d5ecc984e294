"""What the OpenAPI document says of Prometheus' API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.api.prometheus.problems import STATUS_OF_KIND
from spanglass_server.api.prometheus.routes import routes_of
from spanglass_server.api.prometheus.rules import Told
from spanglass_server.api.schema import STRING, array, choice

if TYPE_CHECKING:
    from spanglass_server.api.params import Param
    from spanglass_server.api.prometheus.routing import PrometheusRoute


def described_paths() -> dict[str, dict[str, Any]]:
    """The paths of an OpenAPI document."""
    return {
        route.full_path.replace(":path}", "}"): {method.lower(): _operation(route, method) for method in route.methods}
        for route in routes_of("", Told(None, 0))  # type: ignore[arg-type] # what is described is the same whatever is told
    }


def _operation(route: PrometheusRoute, method: str) -> dict[str, Any]:
    in_path = [param for param in route.parameters if f"{{{param.name}" in route.path]
    asked = [param for param in route.parameters if param not in in_path]
    words = "".join(letter if letter.isalnum() else " " for letter in route.path.replace(":path", "")).split()
    operation: dict[str, Any] = {
        "operationId": "_".join([method.lower(), "prometheus", *words]),
        "summary": route.summary,
        "parameters": [_parameter(param, "path") for param in in_path],
        "responses": {
            "200": _json("The answer.", _answer(route)),
            "default": _json("What went wrong.", _ERROR),
        },
    }
    if method == "POST":
        content = {"application/x-www-form-urlencoded": {"schema": _form(asked)}}
        operation["requestBody"] = {"required": True, "content": content}
    else:
        operation["parameters"] += [_parameter(param, "query") for param in asked]
    return operation


def _parameter(param: Param, place: str) -> dict[str, Any]:
    return {
        "name": param.name,
        "in": place,
        "required": place == "path" or param.required,
        "description": param.help,
        "schema": _schema(param),
    }


def _form(params: list[Param]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {param.name: {**_schema(param), "description": param.help} for param in params},
        "required": [param.name for param in params if param.required],
    }


def _schema(param: Param) -> dict[str, Any]:
    return array(STRING) if param.name.endswith("[]") else dict(STRING)


def _answer(route: PrometheusRoute) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "status": choice("success"),
            "data": route.data,
            "warnings": array(STRING),
            "infos": array(STRING),
        },
        "required": ["status", "data"],
    }


def _json(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


_ERROR = {
    "type": "object",
    "properties": {"status": choice("error"), "errorType": choice(*STATUS_OF_KIND), "error": STRING},
    "required": ["status", "errorType", "error"],
}
