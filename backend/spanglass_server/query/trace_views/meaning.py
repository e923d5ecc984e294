"""What a span means beyond its attributes: a statement laid out, a message, a call of a language model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

from spanglass_core.statement_layout import lay_out
from spanglass_server.query.one_trace import view
from spanglass_server.query.one_trace.view import TraceSpan
from spanglass_server.query.trace_views.genai import GenAi, genai
from spanglass_server.query.trace_views.messaging import Messaging, messaging
from spanglass_server.query.trace_views.named import count_of, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_core.model_prices import Prices
    from spanglass_server.query.trace_views.named import Attributes
    from spanglass_server.store.ports import QuerySession


class Statement(TypedDict):
    """A query of a database; ``text`` is laid out over several lines. ``rows`` is null where nobody says them."""

    system: str
    database: str
    text: str
    rows: int | None


class Meaning(TypedDict):
    """What is known of a span by semantic conventions, each null where the span is none of that kind."""

    statement: Statement | None
    messaging: Messaging | None
    genai: GenAi | None


class SpanWithMeaning(TraceSpan):
    """The answer of ``GET /api/v1/traces/{trace_id}/spans/{key}``."""

    meaning: Meaning


def show_span(session: QuerySession, trace_id: bytes, key: str, now_ns: int, prices: Prices) -> SpanWithMeaning:
    """Answer ``GET /api/v1/traces/{trace_id}/spans/{key}``; BadQuestionError (not_found) when there is none."""
    span = view.show_span(session, trace_id, key, now_ns)
    return {**span, "meaning": meaning(span, prices)}


def meaning(span: Mapping[str, Any], prices: Prices) -> Meaning:
    """Read a span as the API shows it."""
    attributes = span["attributes"]
    return {
        "statement": _statement(attributes),
        "messaging": messaging(attributes),
        "genai": genai(attributes, span["events"], prices),
    }


def _statement(attributes: Attributes) -> Statement | None:
    text = text_of(attributes, "db.query.text")
    if not text:
        return None
    return {
        "system": text_of(attributes, "db.system.name"),
        "database": text_of(attributes, "db.namespace"),
        "text": lay_out(text),
        "rows": count_of(attributes, "db.response.returned_rows"),
    }
