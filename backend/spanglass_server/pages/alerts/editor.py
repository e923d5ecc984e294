"""``/rules/new`` and ``/rules/{uid}/edit``: the form that writes a rule; script tries it while it is typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.pages.alerts import reading, words
from spanglass_server.pages.alerts.rules import NO_TEMPLATES
from spanglass_server.pages.notifications.reading import SETTINGS
from spanglass_server.pages.ports import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit

#: Longer conditions from an address are cut: no link of ours has one.
MOST_CHARACTERS = 10_000
#: What no data means, and what is said of it.
NO_DATA = (("keep", "keep the state for 15 min"), ("ok", "it is OK"), ("alert", "raise an alert"))
NO_CHANNELS: dict[str, Any] = {"things": []}
#: Thresholds of a rule, and values that stand for nothing in its fields.
LEVELS = ("warning", "error", "critical", "recovery")
UNSET: tuple[Any, ...] = (None, "", "0s", 0, [], {})
#: How far back a backtest goes: what stands on the button, and the duration.
BACKTESTS = (("3 h", "3h"), ("24 h", "24h"), ("7 days", "7d"), ("30 days", "30d"))


async def show_new(visit: Visit) -> Response:
    """Render the form for a new rule: empty, from ``?template=``, ``?from=`` (a copy) or ``?condition=``."""
    templates = await _templates(visit)
    rule, problem = await _begin(visit)
    return await _page(visit, rule, templates=templates, problem=problem)


async def show_edit(visit: Visit) -> Response:
    """Render the form for a rule that was made here; others are changed where they stand."""
    uid = visit.request.path_params["uid"]
    found = await visit.api("rules", uid)
    if not found["editable"]:
        row = reading.rule(found, visit)
        return visit.page("alerts/elsewhere.html", ranged=False, status=409, rule=row)
    rule = _typed(found["rule"], found["threshold"]["unit"])
    return await _page(visit, rule, uid=uid, version=found["version"])


async def _templates(visit: Visit) -> Sequence[Mapping[str, Any]]:
    answer = await visit.attempt(visit.api("rules", "templates"), NO_TEMPLATES)
    return answer["templates"]  # type: ignore[no-any-return]


async def _channels(visit: Visit) -> str:
    """Return the names of the channels that there are."""
    answer = await visit.attempt(visit.api(*SETTINGS, "channels"), NO_CHANNELS)
    return ", ".join(one["name"] for one in answer["things"])


async def _begin(visit: Visit) -> tuple[dict[str, Any], str]:
    """Return what a new rule begins with, and why it is not what was asked for."""
    source = visit.param("template") or visit.param("from")
    if not source:
        return {"name": visit.param("name")[:200], "condition": visit.param("condition")[:MOST_CHARACTERS]}, ""
    try:
        answer = await visit.api("rules", source)
    except ApiError as error:
        return {}, f"The rule {source!r} can't be copied: {error}."
    return _copy(answer["rule"], answer["threshold"]["unit"]), ""


def _copy(rule: Mapping[str, Any], unit: str) -> dict[str, Any]:
    """Return a rule without its uid, which follows from the name: that is another one, too."""
    kept = {name: value for name, value in _typed(rule, unit).items() if name != "uid"}
    return {**kept, "name": f"{rule['name']} (copy)", "enabled": True}


def _typed(rule: Mapping[str, Any], unit: str) -> dict[str, Any]:
    """Return a rule as it is typed: without what is not set, thresholds with their unit."""
    kept = {name: value for name, value in rule.items() if value not in UNSET}
    return kept | {name: words.written(rule[name], unit) for name in LEVELS if rule.get(name) is not None}


async def _page(visit: Visit, rule: Mapping[str, Any], **more: Any) -> Response:
    """``more`` are uid and version of the rule that is changed, templates, and what is wrong."""
    labels = ", ".join(f"{name}={value}" for name, value in (rule.get("labels") or {}).items())
    return visit.page(
        "alerts/editor.html", ranged=False, rule=rule, labels=labels, channels=await _channels(visit),
        severities=list(reversed(words.SEVERITIES)), no_data=NO_DATA, backtests=BACKTESTS,
        **{"uid": "", "version": "", "templates": (), "problem": "", **more},
    )  # fmt: skip
