"""OpenSLO files (``openslo/v1``) as objectives, with what can't be taken, by field."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from spanglass_server.forms.kinds import FAILED
from spanglass_server.forms.nodes import Node, TreeError, json_tree, yaml_trees
from spanglass_server.forms.problems import Problem, Report
from spanglass_server.slo.form.spec import OBJECTIVE
from spanglass_server.slo.openslo.events import CannotTakeError, Events, of_promql

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from spanglass_server.slo.model import Objective

_VERSION: Final = "openslo/v1"
#: Kinds of documents that hold nothing which an objective needs, and why.
_LEFT: Final = {
    "Service": "services are those that send spans",
    "DataSource": "objectives count what is stored here",
    "AlertPolicy": "each objective has the alert rules that are made for it",
    "AlertCondition": "each objective has the alert rules that are made for it",
    "AlertNotificationTarget": "alerts go where routes send them",
}
_OWN: Final = "spanglass"
_PROMQL: Final = ("prometheus", "thanos", "cortex", "mimir", "amazonprometheus", "victoriametrics")
_ROLLING: Final = {"1w": "7d", "7d": "7d", "4w": "28d", "28d": "28d", "30d": "30d"}
_CALENDAR: Final = {"1w": "week", "7d": "week", "1M": "month"}
_SIMPLER: Final = (
    "alertPolicies", "the alert rules that are made for objectives take their place: see docs/slos.md",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Taken:
    """The objectives of a text; what is wrong, each of which keeps one from being taken; and what is left out."""

    objectives: Sequence[Objective] = ()
    problems: Sequence[Problem] = ()
    notes: Sequence[Problem] = ()


@dataclass(slots=True)
class _Reader:
    indicators: Mapping[str, Node]
    report: Report = field(default_factory=Report)
    notes: Report = field(default_factory=Report)


def take_over(text: str) -> Taken:
    """Return the objectives of a text with one OpenSLO document or more, or lists of them."""
    try:
        documents = [one for root in yaml_trees(text) for one in (root.items if root.sort == "list" else (root,))]
    except TreeError as error:
        return Taken(problems=(Problem(str(error), "", error.line, error.column),))
    indicators = {_text(one, "metadata", "name"): one for one in documents if _text(one, "kind") == "SLI"}
    reader = _Reader(indicators)
    found: dict[str, Objective] = {}
    for one in documents:
        for objective in _of_document(one, reader):
            if objective.uid in found:
                hint = "give the others another metadata.name, or their objectives a displayName"
                reader.report.add(one, f"two objectives would have the uid {objective.uid!r}", hint)
            found.setdefault(objective.uid, objective)
    if not documents:
        reader.report.problems.append(Problem("the text holds no document", hint="begin with apiVersion: openslo/v1"))
    return Taken(tuple(found.values()), tuple(reader.report.problems), tuple(reader.notes.problems))


def _of_document(one: Node, reader: _Reader) -> Iterable[Objective]:
    kind, version = _text(one, "kind"), _text(one, "apiVersion")
    if version != _VERSION:
        reader.report.add(
            _at(one, "apiVersion"), f"apiVersion is {version or 'missing'}", f"documents of {_VERSION} are taken"
        )
    elif kind in _LEFT:
        reader.notes.add(one, f"the {kind} {_text(one, 'metadata', 'name')} is left out: {_LEFT[kind]}")
    elif kind == "SLO":
        yield from _of_slo(one, reader)
    elif kind != "SLI":
        reader.report.add(_at(one, "kind"), f"{kind or 'nothing'} is no kind of OpenSLO", "an objective is kind: SLO")


def _of_slo(one: Node, reader: _Reader) -> Iterable[Objective]:
    spec = _at(one, "spec")
    targets = _at(spec, "objectives").items
    if not targets:
        reader.report.add(spec, "it has no objectives", "give spec.objectives, each with a target")
    if spec.named(_SIMPLER[0]) is not None:
        reader.notes.add(_at(spec, _SIMPLER[0]), f"left out: {_SIMPLER[1]}")
    method = _text(spec, "budgetingMethod") or "Occurrences"
    if method != "Occurrences":
        hint = "budgetingMethod: Occurrences counts events, as objectives do here"
        reader.report.add(_at(spec, "budgetingMethod"), f"budgets of {method} are not kept", hint)
        return
    for place, target in enumerate(targets):
        before = len(reader.report.problems)
        written = _written(one, spec, target, reader)
        if len(reader.report.problems) > before:
            continue
        if len(targets) > 1:
            own = _text(target, "displayName") or str(place + 1)
            written = {**written, "name": f"{written['name']}: {own}", "uid": f"{written['uid']}-{place + 1}"}
        # paths of what is wrong with the whole are those of our objectives, at the document's line
        inner = Report()
        objective = OBJECTIVE.read(json_tree(written), inner)
        for problem in inner.problems:
            reader.report.add(target, f"{problem.path}: {problem.message}", problem.hint)
        if objective is not FAILED:
            yield objective


def _written(one: Node, spec: Node, target: Node, reader: _Reader) -> dict[str, Any]:
    """An objective as JSON has it; problems are reported."""
    name = _text(one, "metadata", "name")
    found = {
        "name": _text(one, "metadata", "displayName") or name,
        "uid": name,
        "description": _text(spec, "description"),
        "service": _text(spec, "service"),
        "target": _target(target, reader),
        **_window(spec, reader),
        **_counted(spec, target, reader),
    }
    return {key: value for key, value in found.items() if value not in ("", None)}


def _target(target: Node, reader: _Reader) -> str:
    percent, share = _text(target, "targetPercent"), _text(target, "target")
    if not (percent or share):
        reader.report.add(target, "it has no target", "give target, a share such as 0.99, or targetPercent")
    return f"{percent}%" if percent else share


def _window(spec: Node, reader: _Reader) -> dict[str, str]:
    windows = _at(spec, "timeWindow")
    first = windows.items[0] if windows.items else windows
    duration, calendar = _text(first, "duration"), first.named("calendar")
    is_rolling = _text(first, "isRolling") == "true" or calendar is None
    known = _ROLLING if is_rolling else _CALENDAR
    if first is spec or duration not in known:
        hint = f"rolling ones of {', '.join(_ROLLING)}; calendar ones of {', '.join(_CALENDAR)}"
        reader.report.add(_at(first, "duration"), f"a window of {duration or 'no duration'} is not kept", hint)
        return {}
    if is_rolling:
        return {"window": known[duration]}
    reader.notes.add(_at(first, "calendar"), "startTime is left out: a week begins on Monday, a month on its first day")
    return {"window": known[duration], "time_zone": _text(first, "calendar", "timeZone")}


def _counted(spec: Node, target: Node, reader: _Reader) -> dict[str, str]:
    """What is counted, and what is good of it."""
    indicator = _indicator(spec, target, reader)
    if indicator is None:
        return {}
    inside = _at(indicator, "spec")
    ratio, threshold = inside.named("ratioMetric"), inside.named("thresholdMetric")
    try:
        if ratio is not None:
            return _of_ratio(ratio)
        if threshold is not None:
            return _of_threshold(threshold, target)
    except _PlacedError as error:
        reader.report.add(error.node, str(error), error.hint)
        return {}
    reader.report.add(inside, "it has neither ratioMetric nor thresholdMetric", "give one of them")
    return {}


def _indicator(spec: Node, target: Node, reader: _Reader) -> Node | None:
    for holder in (target, spec):
        if (own := holder.named("indicator")) is not None:
            return own
        if name := _text(holder, "indicatorRef"):
            if name not in reader.indicators:
                hint = "put the SLI into the same file"
                reader.report.add(_at(holder, "indicatorRef"), f"there is no SLI {name!r} in the text", hint)
            return reader.indicators.get(name)
    reader.report.add(spec, "it has no indicator", "give spec.indicator, or spec.indicatorRef")
    return None


class _PlacedError(CannotTakeError):
    """What can't be taken, with its node."""

    def __init__(self, node: Node, error: CannotTakeError) -> None:
        super().__init__(str(error), error.hint)
        self.node = node


def _of_ratio(ratio: Node) -> dict[str, str]:
    total, good, bad = (ratio.named(name) for name in ("total", "good", "bad"))
    if total is None or (good is None) == (bad is None):
        raise _PlacedError(ratio, CannotTakeError("a ratio has total, and either good or bad"))
    name, part = ("good", good) if good is not None else ("bad", bad or ratio)
    everything, some = _events(total), _events(part)
    if everything.latency_s:
        hint = 'ask for the _count of the histogram, or for le="+Inf"'
        raise _PlacedError(total, CannotTakeError("total counts only requests that are quick", hint))
    beyond = some.beyond(everything)
    if bad is not None:
        if some.latency_s:
            raise _PlacedError(bad, CannotTakeError("buckets of a histogram count quick requests, which are good ones"))
        beyond = f"not ({beyond})" if beyond else ""
    missing = [one for one in everything.conditions if one not in some.conditions]
    if missing and _is_promql(part):  # such as another method: nothing would be both
        hint = f"give {name} all labels of total, with the same values"
        raise _PlacedError(part, CannotTakeError(f"total asks for {missing[0]}, and {name} does not", hint))
    return {"spans": everything.filter, "good": beyond, "latency": f"{some.latency_s:g}s" if some.latency_s else ""}


def _of_threshold(threshold: Node, target: Node) -> dict[str, str]:
    """Spans of a filter of ours that take at most so many seconds."""
    source = _at(threshold, "metricSource")
    if check := _text(source, "spec", "check"):
        return {"check": check}
    if _text(source, "type").lower() != _OWN:
        message = "a threshold of a metric is not what objectives count"
        raise _PlacedError(source, CannotTakeError(message, "count requests: ratioMetric with good and total"))
    if _text(target, "op") not in {"lt", "lte"}:
        raise _PlacedError(_at(target, "op"), CannotTakeError("op is not lte", "good spans take at most value seconds"))
    return {"spans": _events(threshold).filter, "latency": f"{_text(target, 'value') or 0}s"}


def _events(metric: Node) -> Events:
    """What the query of a metricSource counts."""
    source = _at(metric, "metricSource")
    spec = _at(source, "spec")
    query = spec.named("query") or spec.named("promql")
    if query is None or not query.text.strip():
        raise _PlacedError(spec, CannotTakeError("it has no query", "give metricSource.spec.query"))
    if _text(source, "type").lower() == _OWN:
        return Events((query.text.strip(),))
    if not _is_promql(metric):
        given = _text(source, "type") or "no type"
        message = f"queries of {given} can't be taken"
        raise _PlacedError(source, CannotTakeError(message, "type is Prometheus, or Spanglass with filters of spans"))
    try:
        return of_promql(query.text)
    except CannotTakeError as error:
        raise _PlacedError(query, error) from error


def _is_promql(metric: Node) -> bool:
    return _text(metric, "metricSource", "type").lower() in _PROMQL


def _at(node: Node, key: str) -> Node:
    """The value of a key, else the node that lacks it."""
    return node.named(key) or node


def _text(node: Node, *keys: str) -> str:
    for key in keys:
        below = node.named(key)
        if below is None:
            return ""
        node = below
    return node.text if node.sort not in {"null", "list", "mapping"} else ""
