"""Types of the answers about what is saved, and saved views as they are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypedDict

from spanglass_server.query.answers import HexId, JsonSchema, Nanoseconds, Slot, Time
from spanglass_server.times import format_time

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from spanglass_server.saved.model import KeptView, Pin
    from spanglass_server.saved.store.pins import Pins
    from spanglass_server.saved.store.views import Views
    from spanglass_server.store.ports import QuerySession


class SavedView(TypedDict):
    """A page's address with a name."""

    id: int
    name: str
    url: Annotated[str, JsonSchema({"description": "path and parameters"})]
    page: Annotated[str, JsonSchema({"description": "the path"})]
    owner: str
    shared: Annotated[bool, JsonSchema({"description": "whether everybody sees it"})]
    pinned: Annotated[bool, JsonSchema({"description": "whether it stands in the navigation"})]
    default: Annotated[bool, JsonSchema({"description": "whether the navigation opens its page so"})]
    created_time: Time
    changed_time: Time


class SavedViews(TypedDict):
    """The answer of ``GET /api/v1/views``."""

    views: list[SavedView]


class Deleted(TypedDict):
    """What was deleted."""

    deleted: int


def view_json(kept: KeptView) -> SavedView:
    """Return a view as it is shown."""
    view = kept.view
    return {
        "id": kept.id,
        "name": view.name,
        "url": view.url,
        "page": view.page,
        "owner": view.owner,
        "shared": view.shared,
        "pinned": view.pinned,
        "default": view.default,
        "created_time": format_time(kept.created_ns),
        "changed_time": format_time(kept.changed_ns),
    }


def seen_views(views: Views) -> Callable[[str], list[SavedView]]:
    """Return what lists the views that a reader sees; none where they can't be read: every page asks."""
    kept: tuple[Sequence[KeptView], list[SavedView]] = (), []

    def seen(owner: str) -> list[SavedView]:
        nonlocal kept
        try:
            found = views.all()
        except OSError:
            return []
        known, shown = kept
        if known is not found:  # made anew only after a change
            shown = [view_json(one) for one in found]
            kept = found, shown
        return [one for one in shown if one["shared"] or one["owner"] == owner]

    return seen


class PinnedTrace(TypedDict):
    """A trace that outlives retention, with what it was when it was pinned."""

    trace_id: HexId
    note: str
    actor: Annotated[str, JsonSchema({"description": "who pinned it, or wrote its note"})]
    pinned_time: Time
    service: str
    slot: Slot
    name: Annotated[str, JsonSchema({"description": "of its root span"})]
    start_time: Time
    duration_ns: Nanoseconds
    span_count: int
    error_count: int
    bytes: Annotated[int, JsonSchema({"description": "of its spans and log records, as a file"})]


class PinnedTraces(TypedDict):
    """The answer of ``GET /api/v1/pins``."""

    pins: list[PinnedTrace]
    bytes: int
    max_bytes: Annotated[int, JsonSchema({"description": "retention.max_pinned_bytes"})]


class Unpinned(TypedDict):
    """Which trace goes with the others of its age from now on."""

    unpinned: HexId


def pin_json(session: QuerySession, pin: Pin) -> PinnedTrace:
    """Return a pin as it is shown."""
    return {
        "trace_id": pin.trace_id.hex(),
        "note": pin.note,
        "actor": pin.actor,
        "pinned_time": format_time(pin.pinned_ns),
        "service": pin.service,
        "slot": session.service_slot(pin.service),
        "name": pin.name,
        "start_time": format_time(pin.start_ns),
        "duration_ns": pin.duration_ns,
        "span_count": pin.spans,
        "error_count": pin.errors,
        "bytes": pin.bytes,
    }


def pinned_notes(pins: Pins) -> Callable[[str], Mapping[str, str] | None]:
    """Return what tells of a trace, by its id in hex, who pinned it and why; None for one that is not pinned."""

    def noted(trace_id: str) -> Mapping[str, str] | None:
        try:
            pin = pins.by_id().get(bytes.fromhex(trace_id))
        except (OSError, ValueError):
            return None
        return None if pin is None else {"note": pin.note, "actor": pin.actor, "time": format_time(pin.pinned_ns)}

    return noted
