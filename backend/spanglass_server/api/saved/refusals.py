"""What the store of what is saved refuses, as errors of the API."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from spanglass_server.api.errors import ApiError, disk_error
from spanglass_server.saved.model import SavedError, TakenError, UnknownPinError, UnknownViewError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def refusals() -> Iterator[None]:
    """Turn what is refused into errors that name the field and say what to do next."""
    try:
        yield
    except UnknownViewError as error:
        hint = "GET /api/v1/views lists views"
        raise ApiError("not_found", str(error), field="view", hint=hint) from error
    except UnknownPinError as error:
        raise ApiError("not_found", str(error), field="trace_id", hint="GET /api/v1/pins lists pins") from error
    except SavedError as error:
        code = "conflict" if isinstance(error, TakenError) else "bad_request"
        raise ApiError(code, str(error), field=error.field, hint=error.hint) from error
    except OSError as error:
        raise disk_error(error, "what is saved can't be read or changed") from error
