"""A trace as one HTML file that needs no server: styles, script and data are in it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from functools import cache
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from spanglass_server.access.browsers import HEADERS
from spanglass_server.pages.rendering import columns, exceptions
from spanglass_server.pages.rendering.assets import read_files
from spanglass_server.pages.rendering.format import parse_time_ns
from spanglass_server.pages.trace_views import trace, waterfall
from spanglass_server.pages.trace_views.bundle import bundle
from spanglass_server.query.trace_views.meaning import meaning

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spanglass_server.pages.visit import Visit

#: Spans whose details go into a file; a larger trace has its waterfall only.
MOST_SPANS = 5_000
_STYLES = ("spanglass.css", "pages.css", "trace.css")
_ENTRY, _INSTEAD = "js/file/main.js", {"js/api.js": "js/file/api.js", "js/go.js": "js/file/go.js"}


async def show(visit: Visit) -> Response:
    """``/traces/{trace_id}/file``: the trace to be kept or sent."""
    trace_id = trace.read_id(visit)
    answer = await visit.api("traces", trace_id, format="columns")
    shown = columns.unpack(answer)
    (logs, _), linking, whole = await visit.together(
        trace.logs_of(visit, shown), trace.linking_to(visit, shown), _whole(visit, trace_id, shown["span_count"])
    )
    of_trace = {"trace": answer, "linking": linking, "logs": [log for log in logs if log["span_id"]]}
    html = await asyncio.to_thread(_render, visit, shown, whole["spans"], logs, of_trace)
    disposition = {"content-disposition": f'attachment; filename="trace-{trace_id}.html"'}
    return Response(html, media_type="text/html; charset=utf-8", headers={**HEADERS, **disposition})


def _render(
    visit: Visit, shown: Mapping[str, Any], spans: Sequence[Mapping[str, Any]], logs: Sequence[Any], of_trace: Any
) -> str:
    """Return the page; with 5,000 spans it takes seconds, so not on the event loop."""
    details = {span["key"]: {**span, "meaning": meaning(span, visit.site.prices)} for span in spans}
    chosen = trace.chosen_of(shown, visit.param("span"))
    data = {**of_trace, "chosen": details.get(chosen["key"], {})}
    return visit.site.templates.get_template("trace/file.html").render(
        visit=visit, clock=visit.clock, trace=shown, root=shown["spans"][0], chosen=chosen,
        start_ns=parse_time_ns(shown["start_time"]), shares=trace.shares_of(shown), warnings=trace.warnings_of(shown),
        axis=waterfall.axis(shown["duration_ns"]), logs=logs, told=exceptions.tellers(shown),
        data=columns.as_data(data), details=columns.as_data(details), complete=bool(details), **_inlined(),
    )  # fmt: skip


async def _whole(visit: Visit, trace_id: str, count: int) -> Mapping[str, Any]:
    """Return the trace with all its spans in full, without them if they are too many for a file."""
    return await visit.api("traces", trace_id) if count <= MOST_SPANS else {"spans": []}


@cache
def _inlined() -> dict[str, str]:
    """Return style and script, and the policy that allows these and nothing else."""
    files = read_files()
    style = "\n".join(files[name].decode() for name in _STYLES)
    script = bundle(files, _ENTRY, _INSTEAD)
    policy = f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; base-uri 'none'"
    return {"style": style, "script": script, "policy": policy}


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
