"""``/silences``: what nobody is told of, until when, and why; ``/silences/new``: the form, with what it would hide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_core.units import UnitError, parse_duration_ns
from spanglass_server.pages.alerts import reading as alert_reading
from spanglass_server.pages.notifications import reading, words
from spanglass_server.pages.ports import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit

#: Rows on a page, of so many that are read at all.
MOST_ROWS, MOST_READ = 200, 1000
#: Of what would be hidden, so many are listed.
MOST_HIDDEN = 20
#: How long silences last: how it is written, and what stands on the choice.
DURATIONS = (
    ("30m", "30 min"), ("1h", "1 hour"), ("2h", "2 hours"), ("8h", "8 hours"), ("1d", "1 day"), ("7d", "7 days"),
)  # fmt: skip
DEFAULT_DURATION = "2h"
#: Labels that differ from one firing to the next, or say twice the same: a silence made from an alert leaves them out.
NOT_ABOUT = frozenset({"severity", "source", "owner", "service", "rule"})


async def show(visit: Visit) -> Response:
    """Render the list: active ones, the next to end first, then pending ones; ``?state=expired`` has the others."""
    state = visit.param("state") if visit.param("state") == "expired" else "open"
    answer = await visit.api("silences", state=state, limit=MOST_READ)
    rows = [reading.silence(one, visit.clock.now_ns) for one in answer["silences"]]
    found = [row for row in rows if _matches(row, visit.param("q").lower())]
    order = list(words.SILENCES)
    found.sort(key=lambda row: (order.index(row["state"]), row["ends_ns"] * (-1 if row["state"] == "expired" else 1)))
    at = int(visit.param("cursor")) if visit.param("cursor").isdecimal() else 0
    after = at + MOST_ROWS
    return visit.page(
        "notifications/silences.html", ranged=False, rows=found[at:after], found=len(found), total=len(rows),
        state=state, is_cut=len(rows) >= MOST_READ,
        next_page=visit.here(cursor=str(after)) if after < len(found) else None,
    )  # fmt: skip


def _matches(row: Mapping[str, Any], text: str) -> bool:
    where = f"{row['written']} {row['comment']} {row['created_by']}".lower()
    return all(word in where for word in text.split())


async def show_new(visit: Visit) -> Response:
    """Render the form: empty, from ``?matchers=``, ``?alert=`` (one alert) or ``?silence=`` (one that is changed)."""
    before = await _silence(visit)
    written = visit.param("matchers") or (before["written"] if before else await _of_alert(visit))
    lasts = visit.param("for") or ("" if before else DEFAULT_DURATION)
    return visit.page(
        "notifications/silence.html", ranged=False, written=written, lasts=lasts, durations=DURATIONS, before=before,
        comment=visit.param("comment") or (before["comment"] if before else ""), preview=await preview(visit, written),
        until=_until(lasts, visit), alert=visit.param("alert"),
    )  # fmt: skip


def _until(lasts: str, visit: Visit) -> dict[str, Any]:
    """Return when a silence would end that begins now, or what is wrong with how long it lasts."""
    if not lasts:
        return {"ns": 0, "problem": ""}
    try:
        ends_ns = visit.clock.now_ns + parse_duration_ns(lasts)
    except UnitError as error:
        return {"ns": 0, "problem": str(error)}
    return {"ns": ends_ns, "problem": ""}


async def _silence(visit: Visit) -> dict[str, Any] | None:
    if not visit.param("silence"):
        return None
    return reading.silence(await visit.api("silences", visit.param("silence")), visit.clock.now_ns)


async def _of_alert(visit: Visit) -> str:
    """Return the conditions that hold for one alert: its rule and what it is about."""
    if not visit.param("alert"):
        return ""
    try:
        found = await alert_reading.ask(visit, "alerts", visit.param("alert"))
    except ApiError:
        return ""
    labels = {**found["details"]["labels"], **found["details"]["key"]}
    told = {"alertname": found["rule_name"] or found["title"], **{name: labels[name] for name in sorted(labels)}}
    return words.matchers(
        [{"name": name, "operator": "=", "value": value} for name, value in told.items() if name not in NOT_ABOUT]
    )


async def preview(visit: Visit, written: str) -> dict[str, Any]:
    """Return which open alerts conditions match, or what is wrong with them; neither where there are none."""
    if not written:
        return {"problem": "", "alerts": None, "total": 0}
    try:
        found = await reading.post(visit, "silences", "preview", body={"matchers": written})
    except ApiError as error:
        hint = str(error.error.get("hint") or "")
        return {"problem": str(error), "hint": hint, "alerts": None, "total": 0}
    alerts = [reading.brief(one, visit) for one in found["alerts"][:MOST_HIDDEN]]
    return {"problem": "", "alerts": alerts, "total": found["total"]}
