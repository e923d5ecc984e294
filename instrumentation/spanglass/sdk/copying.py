"""Copies of ended spans with something changed: an ended span belongs to every processor and is never written to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk.trace import ReadableSpan

from spanglass.sdk.private.spans import events_and_links

if TYPE_CHECKING:
    from collections.abc import Mapping


def copy_span(span: ReadableSpan, attributes: Mapping[str, Any], **changed: Any) -> ReadableSpan:
    """Copy a span with other attributes; ``changed`` are further arguments of ``ReadableSpan``."""
    events, links = events_and_links(span)  # with the number of those that were dropped
    arguments: dict[str, Any] = {
        "name": span.name,
        "context": span.context,
        "parent": span.parent,
        "resource": span.resource,
        "attributes": bounded(attributes, span.dropped_attributes),
        "events": events,
        "links": links,
        "kind": span.kind,
        "status": span.status,
        "start_time": span.start_time,
        "end_time": span.end_time,
        "instrumentation_scope": span.instrumentation_scope,
    }
    return ReadableSpan(**(arguments | changed))


def bounded(attributes: Mapping[str, Any], dropped: int) -> Mapping[str, Any]:
    """Attributes that keep the number of those that were dropped before."""
    if not dropped:
        return attributes
    made = BoundedAttributes(attributes=attributes, immutable=False, extended_attributes=True)
    made.dropped = dropped
    return made
