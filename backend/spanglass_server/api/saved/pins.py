"""The routes about pinned traces: listed, one, pinned with a note, unpinned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from spanglass_server.api.fields import ACTOR, actor_of, body_schema, fields_of, text_of
from spanglass_server.api.params import Param
from spanglass_server.api.routing import Route
from spanglass_server.api.saved.refusals import refusals
from spanglass_server.api.schema import STRING, schema_of
from spanglass_server.saved import answers
from spanglass_server.saved.model import LONGEST_NOTE
from spanglass_server.saved.pinning import pin_of

if TYPE_CHECKING:
    from spanglass_server.api.params import Params
    from spanglass_server.saved.model import Pin
    from spanglass_server.saved.store.pins import Pins
    from spanglass_server.store.ports import QuerySession

_TRACE: Final = Param("trace_id", "trace_id", help="The trace's id in hex.")
_BODY: Final = body_schema({
    "note": {**STRING, "maxLength": LONGEST_NOTE, "description": "why it is kept"},
    "actor": ACTOR,
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Handlers:
    pins: Pins
    max_bytes: int

    def list(self, session: QuerySession, params: Params) -> answers.PinnedTraces:
        """All of them, the newest pin first; those that have a text."""
        with refusals():
            pins = list(self.pins.by_id().values())
        text = (params["text"] or "").casefold()
        return {
            "pins": [answers.pin_json(session, pin) for pin in pins if text in _words(pin)],
            "bytes": sum(pin.bytes for pin in pins),
            "max_bytes": self.max_bytes,
        }

    def one(self, session: QuerySession, params: Params) -> answers.PinnedTrace:
        """One of them."""
        with refusals():
            return answers.pin_json(session, self.pins.one(params["trace_id"]))

    def pin(self, session: QuerySession, params: Params) -> answers.PinnedTrace:
        """Pin a trace, or say something else of one."""
        fields = fields_of(params["body"], _BODY)
        trace_id, note, actor = params["trace_id"], text_of(fields, "note", "", LONGEST_NOTE), actor_of(fields)
        with refusals():
            if trace_id in self.pins.by_id():
                self.pins.note(trace_id, note, actor)
            else:
                with self.pins.adding():  # the session sees what is stored from its first reading on, which is here
                    self.pins.pin(pin_of(session, trace_id, note, actor, params["now_ns"]), self.max_bytes)
            return answers.pin_json(session, self.pins.one(trace_id))

    def unpin(self, _: QuerySession, params: Params) -> answers.Unpinned:
        """Have it go with the others of its age."""
        with refusals():
            self.pins.unpin(params["trace_id"])
        return {"unpinned": params["trace_id"].hex()}


def _words(pin: Pin) -> str:
    return f"{pin.trace_id.hex()}\n{pin.note}\n{pin.actor}\n{pin.service}\n{pin.name}".casefold()


def pin_routes(pins: Pins, max_bytes: int) -> tuple[Route, ...]:
    """Return the routes; ``max_bytes`` is how large all pinned traces may be."""
    handlers = _Handlers(pins, max_bytes)
    return (
        Route(
            path="/pins",
            summary="Pinned traces, which outlive retention: the newest pin first.",
            parameters=(Param("text", "text", help="Only those with it in note, name, service, id or who pinned it."),),
            response=schema_of(answers.PinnedTraces),
            query=handlers.list,
        ),
        Route(
            path="/pins/{trace_id}",
            summary="One pinned trace, without its spans.",
            parameters=(_TRACE,),
            response=schema_of(answers.PinnedTrace),
            query=handlers.one,
        ),
        Route(
            method="PUT",
            path="/pins/{trace_id}",
            summary="Pin a trace: its spans and log records outlive retention; or change its note.",
            parameters=(_TRACE,),
            body=_BODY,
            response=schema_of(answers.PinnedTrace),
            query=handlers.pin,
        ),
        Route(
            method="DELETE",
            path="/pins/{trace_id}",
            summary="Unpin a trace: it goes with the others of its age.",
            parameters=(_TRACE,),
            response=schema_of(answers.Unpinned),
            query=handlers.unpin,
        ),
    )
