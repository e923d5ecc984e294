"""What reports and their schedules refuse, as errors of the API."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from spanglass_server.api.errors import ApiError, disk_error
from spanglass_server.api.routing import PREFIX
from spanglass_server.reports.errors import (
    NotDoneError,
    RefusedError,
    ReportStoreError,
    TooManyError,
    UnknownReportError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def refusals() -> Iterator[None]:
    """Turn what reports refuse into errors of the API."""
    try:
        yield
    except UnknownReportError as error:
        hint = f"GET {PREFIX}/reports and {PREFIX}/report-schedules list what there is"
        raise ApiError("not_found", str(error), field="report", hint=hint) from error
    except NotDoneError as error:
        raise ApiError("conflict", str(error), field="report", hint="wait until its state is done") from error
    except RefusedError as error:
        code = "conflict" if isinstance(error, TooManyError) else "bad_request"
        raise ApiError(code, str(error), field=error.field, hint=error.hint) from error
    except (OSError, ReportStoreError) as error:
        raise disk_error(error, "reports can't be read or changed") from error
