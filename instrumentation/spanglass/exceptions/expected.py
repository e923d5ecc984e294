"""Exceptions that are no errors: a framework's control flow, and the ends of iterations, tasks and processes.

Found by name, so that no framework is imported. Nothing is recorded of them beyond what OpenTelemetry does.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from spanglass.values import class_name

if TYPE_CHECKING:
    from collections.abc import Callable

_SERVER_ERROR = 500


def _always(_: Any) -> bool:
    return True


def _ends_well(error: Any) -> bool:
    return error.code in (None, 0)


def _below_500(attribute: str) -> Callable[[Any], bool]:
    def expected(error: Any) -> bool:
        status = getattr(error, attribute, None)
        return isinstance(status, int) and status < _SERVER_ERROR

    return expected


#: By the qualified name of a class, its subclasses too: when it is expected.
TABLE: dict[str, Callable[[Any], bool]] = {
    "KeyboardInterrupt": _always,
    "StopIteration": _always,
    "StopAsyncIteration": _always,
    "GeneratorExit": _always,
    "SystemExit": _ends_well,
    "asyncio.exceptions.CancelledError": _always,
    "trio.Cancelled": _always,
    "greenlet.GreenletExit": _always,
    "Skipped": _always,  # pytest's, which it shows as a builtin
    "hypothesis.errors.StopTest": _always,
    "airflow.exceptions.TaskDeferred": _always,
    "prefect.exceptions.PrefectSignal": _always,
    "streamlit.runtime.scriptrunner.exceptions.ScriptControlException": _always,
    "streamlit.runtime.scriptrunner_utils.exceptions.ScriptControlException": _always,
    "starlette.exceptions.HTTPException": _below_500("status_code"),
    "starlette.requests.ClientDisconnect": _always,
    "starlette.websockets.WebSocketDisconnect": _always,
    "uvicorn.protocols.utils.ClientDisconnected": _always,
    "fastapi.exceptions.RequestValidationError": _always,
    "werkzeug.exceptions.HTTPException": _below_500("code"),
    "django.http.response.Http404": _always,
    "django.http.multipartparser.MultiPartParserError": _always,
    "django.http.request.UnreadablePostError": _always,
    "django.core.exceptions.BadRequest": _always,
    "django.core.exceptions.PermissionDenied": _always,
    "django.core.exceptions.RequestAborted": _always,
    "django.core.exceptions.SuspiciousOperation": _always,
    "rest_framework.exceptions.APIException": _below_500("status_code"),
    "aiohttp.web_exceptions.HTTPException": _below_500("status_code"),
    "tornado.web.HTTPError": _below_500("status_code"),
    "falcon.http_error.HTTPError": _below_500("status_code"),
    "litestar.exceptions.http_exceptions.HTTPException": _below_500("status_code"),
    "sanic.exceptions.SanicException": _below_500("status_code"),
    "grpc._cython.cygrpc.AbortError": _always,
    "celery.exceptions.Retry": _always,
    "celery.exceptions.Ignore": _always,
    "celery.exceptions.Reject": _always,
    "click.exceptions.Exit": _always,
    "click.exceptions.Abort": _always,
}


@lru_cache(1_024)
def _rule(kind: type) -> Callable[[Any], bool] | None:
    names = (class_name(base) for base in type.__getattribute__(kind, "__mro__"))
    return next((TABLE[name] for name in names if name in TABLE), None)


def is_expected(error: BaseException) -> bool:
    """Return whether an exception is control flow and no error; a group if all its members are."""
    if isinstance(error, BaseExceptionGroup):
        return all(is_expected(member) for member in error.exceptions)
    rule = _rule(type(error))  # type: ignore[arg-type]  # mypy takes the hash of instances for that of the class
    try:
        return rule is not None and rule(error)
    except Exception:  # noqa: BLE001 - a property of the application's own subclass
        return False


def is_failure(error: BaseException) -> bool:
    """Return whether a span that an exception leaves has failed: by an ``Exception``, or by what ends the process.

    Exit codes, panics of extensions in Rust and the like are failures; cancelling, closing and ``exit(0)`` are none.
    """
    return isinstance(error, Exception) or not is_expected(error)
