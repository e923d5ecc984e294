import asyncio
from importlib import import_module
from importlib.util import find_spec

import pytest
from celery.exceptions import Retry
from django.core.exceptions import PermissionDenied
from django.http import Http404
from fastapi import HTTPException as FastHTTPException
from greenlet import GreenletExit
from hypothesis.errors import StopTest
from starlette.exceptions import HTTPException
from werkzeug.exceptions import InternalServerError, NotFound

from spanglass.exceptions import expected
from spanglass.exceptions.expected import is_expected
from spanglass.values import class_name


class OwnNotFound(NotFound):
    """A subclass in an application."""


class Odd(HTTPException):
    """Whose status fails."""

    def __init__(self):
        """Set nothing."""

    @property
    def status_code(self):
        """Fail."""
        raise RuntimeError("no")


@pytest.mark.parametrize(
    ("error", "is_control_flow"),
    [
        (KeyboardInterrupt(), True),
        (StopIteration(), True),
        (StopAsyncIteration(), True),
        (GeneratorExit(), True),
        (asyncio.CancelledError(), True),
        (GreenletExit(), True),
        (pytest.skip.Exception("later"), True),
        (pytest.fail.Exception("wrong"), False),
        (StopTest(0), True),
        (SystemExit(), True),
        (SystemExit(0), True),
        (SystemExit(1), False),
        (SystemExit("failed"), False),
        (HTTPException(404), True),
        (HTTPException(503), False),
        (FastHTTPException(422), True),
        (FastHTTPException(500), False),
        (NotFound(), True),
        (OwnNotFound(), True),
        (InternalServerError(), False),
        (Http404(), True),
        (PermissionDenied(), True),
        (Retry(), True),
        (Odd(), False),
        (ValueError(), False),
        (TimeoutError(), False),
        (BaseExceptionGroup("all", [asyncio.CancelledError(), KeyboardInterrupt()]), True),
        (BaseExceptionGroup("some", [asyncio.CancelledError(), ValueError()]), False),
    ],
)
def test_control_flow_is_no_error(error, is_control_flow):
    """Answers below 500, ends of iterations, tasks and processes are expected; failures are not."""
    assert is_expected(error) is is_control_flow


def of_installed():
    """Return the names in the table whose library is installed."""
    return sorted(name for name in expected.TABLE if "." not in name or find_spec(name.partition(".")[0]))


@pytest.mark.parametrize("name", of_installed())
def test_names_in_the_table_exist(name):
    """A name that a library does not have would never match: each is the class's own, where the table says."""
    module, _, kind = name.rpartition(".")
    found = pytest.skip.Exception if name == "Skipped" else getattr(import_module(module or "builtins"), kind)

    assert class_name(found) == name
