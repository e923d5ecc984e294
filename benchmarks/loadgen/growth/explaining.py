"""Questions about why it is slow, over what a plan has loaded, with what each may take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from loadgen.asking import Question, url

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from loadgen.growth.loading import Plan

_REPEATS = 5
_NOBODY = 'enduser.id = "u-nobody-{}"'
_LATE = "db.system.name = postgresql and duration > {}ms"
_TOGETHER = "trace.services = checkout-01 and trace.services = payment-01"
_APART = "trace.services = checkout-01 and trace.services = cart-02"
#: Searches by other spans of a trace, each beside the one by the spans themselves whose time it may take twice.
TWINS = {
    "failed descendants": ("status = error", "descendant(status = error)"),
    "failed ancestors": ("status = error", "ancestor(status = error)"),
    "failed children": ("status = error", "child(status = error)"),
    "failed parents": ("status = error", "parent(status = error)"),
    "failed siblings": ("status = error", "sibling(status = error)"),
    "several failed descendants": ("status = error", "descendant(status = error) > 2"),
    "failed without a failed child": ("status = error", "status = error child(status = error) = 0"),
    "children by two conditions": (_LATE, f"child({_LATE})"),
    "several children by two conditions": (_LATE, f"child({_LATE}) > 1"),
    "siblings by two conditions": (_LATE, f"sibling({_LATE})"),
    "several descendants by two conditions": (_LATE, f"descendant({_LATE}) > 3"),
    "descendants, none": (_NOBODY, f"descendant({_NOBODY})"),
    "siblings, none": (_NOBODY, f"sibling({_NOBODY})"),
    "duration of the trace": ("duration > 100{}ms", "trace.duration > 100{}ms"),
    "duration of the trace, many": ("duration > 1{}ms", "trace.duration > 1{}ms"),
    "duration of the trace, none": ("duration > 9{}s", "trace.duration > 9{}s"),
    "spans of the trace": ("status = error", "trace.spans > 25"),
    "spans of the trace, none": ("duration > 9{}s", "trace.spans > 50{}"),
    "errors of the trace": ("status = error", "trace.errors > 3"),
    "services of the trace": ("service:checkout-01", _TOGETHER),
    "services of the trace, none": (_NOBODY, _APART),
    "root and another of the trace": ("status = error", "root(status = error) and trace(service:checkout-01)"),
}
_ABOUT: dict[str, tuple[float, str, dict[str, str]]] = {
    "durations over time": (500, "/spans/heatmap", {}),
    "what is different about errors": (2000, "/differences", {"selected": "status = error"}),
    "service map": (700, "/service-map", {}),
    "typical trace": (700, "/services/checkout-01/typical", {"operation": "POST /v1/checkout"}),
    "users": (0, "/users", {}),
}


def explaining(plan: Plan) -> list[tuple[str, Question]]:
    """Return the questions, each behind the name of the flat search that it is held against, "" for most."""
    window = {"start": plan.start_ns, "end": plan.end_ns}
    asked = [("", _question(name, limit, path, {**window, **more})) for name, (limit, path, more) in _ABOUT.items()]
    for name, (flat, structural) in TWINS.items():
        asked.append(("", _question(f"{name}: flat", 0, "/traces", {**window, "limit": 20, "filter": flat})))
        twin = {**window, "limit": 20, "filter": structural}
        asked.append((f"{name}: flat", _question(name, 0, "/traces", twin)))
    return asked


def _question(name: str, limit_ms: float, path: str, parameters: Mapping[str, Any]) -> Question:
    """Ask with another number each time where the parameters have room for one, so that no answer is known before."""
    return Question(name, limit_ms, _numbered(path, parameters), range(_REPEATS), lambda answer: answer)


def _numbered(path: str, parameters: Mapping[str, Any]) -> Callable[[int], str]:
    def numbered(number: int) -> str:
        return url(
            path,
            **{
                key: each.replace("{}", str(number)) if isinstance(each, str) else each
                for key, each in parameters.items()
            },
        )

    return numbered
