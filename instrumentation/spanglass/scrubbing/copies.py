"""Scrubbed copies of spans and log records. What the application holds is never changed; clean ones are not copied."""

from __future__ import annotations

import copy
import dataclasses
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util import BoundedList
from opentelemetry.trace import Link, Status

from spanglass.scrubbing.plans import mark
from spanglass.sdk.copying import bounded, copy_span
from spanglass.sdk.private.spans import events_and_links
from spanglass_core.attribute_names import SCRUBBED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opentelemetry.sdk._logs import ReadableLogRecord

    from spanglass.scrubbing.scrubber import Scrubber

_UNREAD = mark("could not be read")
_LEAST = 4  # characters of a value that is looked for in a text: shorter ones are in many words
_NAME, _STATUS, _BODY = "span.name", "status.description", "body"


def scrub_span(span: ReadableSpan, scrubber: Scrubber, resource: Resource) -> ReadableSpan:
    """Scrub name, attributes, events, links and status; gives the span itself when nothing is to be done.

    ``resource`` is the span's, scrubbed.
    """
    before = _items(span.attributes)
    attributes = scrubber.attributes(before)
    name = scrubber.text(span.name, _NAME)
    status = _status(span.status, scrubber)
    kept_events, kept_links = events_and_links(span)
    events = _scrub_all(span.events, scrubber, _event) if kept_events else None  # an empty one is locked and copied
    links = _scrub_all(span.links, scrubber, _link) if kept_links else None
    others = [key for key, new, old in ((_NAME, name, span.name), (_STATUS, status, span.status)) if new is not old]
    if attributes is before and not others and events is None and links is None and resource is span.resource:
        return span
    if others:
        attributes = {**attributes, SCRUBBED: (*attributes.get(SCRUBBED, ()), *others)}
    changed: dict[str, Any] = {"name": name, "status": status, "resource": resource}
    if events is not None:
        changed["events"] = _list(events, span.dropped_events)
    if links is not None:
        changed["links"] = _list(links, span.dropped_links)
    return copy_span(span, attributes, **changed)


def scrub_log(record: ReadableLogRecord, scrubber: Scrubber, resource: Resource) -> ReadableLogRecord:
    """Scrub body and attributes; gives the record itself when nothing is to be done."""
    log = record.log_record
    before = _items(log.attributes)
    attributes = scrubber.attributes(before)
    body = scrubber.value(_BODY, log.body)
    if attributes is not before and isinstance(body, str):
        body = _without_values(body, before, attributes)
    if attributes is before and body is log.body and resource is record.resource:
        return record
    if body is not log.body:
        attributes = {**attributes, SCRUBBED: (*attributes.get(SCRUBBED, ()), _BODY)}
    scrubbed = copy.copy(log)
    scrubbed.body = body
    scrubbed.attributes = bounded(attributes, record.dropped_attributes)
    return dataclasses.replace(record, log_record=scrubbed, resource=resource)


def _without_values(body: str, before: Mapping[str, Any], attributes: Mapping[str, Any]) -> str:
    """Take out of a text what was scrubbed in its attributes: a message has the values that were put into it, too."""
    for key in attributes[SCRUBBED]:
        value, scrubbed = before.get(key), attributes.get(key)
        if isinstance(value, str) and isinstance(scrubbed, str) and len(value) >= _LEAST and value in body:
            body = body.replace(value, scrubbed)
    return body


def scrub_resource(resource: Resource, scrubber: Scrubber) -> Resource:
    """Scrub a resource's attributes; gives the resource itself when nothing is to be done."""
    attributes = scrubber.attributes(resource.attributes)
    return resource if attributes is resource.attributes else Resource(attributes, resource.schema_url)


def bare_span(span: ReadableSpan) -> ReadableSpan:
    """Return what can hold no secret, for a span that could not be scrubbed: when, where, how long, how it ended."""
    return ReadableSpan(
        name=_UNREAD,
        context=span.context,
        parent=span.parent,
        resource=_bare_resource(span.resource),
        attributes={SCRUBBED: ("*",)},
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def bare_log(record: ReadableLogRecord) -> ReadableLogRecord:
    """Return what can hold no secret, for a log record that could not be scrubbed: when and how severe."""
    bare = copy.copy(record.log_record)
    bare.body, bare.attributes = _UNREAD, {SCRUBBED: ("*",)}
    return dataclasses.replace(record, log_record=bare, resource=_bare_resource(record.resource))


def _bare_resource(resource: Resource) -> Resource:
    return Resource({key: value for key, value in resource.attributes.items() if key.startswith("service.")})


def _items(attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    """Copy attributes to a dict: read entry by entry they cost ten times as much."""
    copied: dict[str, Any] = getattr(attributes, "copy", lambda: dict(attributes or {}))()
    return copied


def _status(status: Status, scrubber: Scrubber) -> Status:
    description = status.description
    if not description:
        return status
    scrubbed = scrubber.text(description, _STATUS)
    return status if scrubbed is description else Status(status.status_code, scrubbed)


def _scrub_all(items: Sequence[Any], scrubber: Scrubber, scrub_one: Any) -> list[Any] | None:
    scrubbed = [scrub_one(item, scrubber) for item in items]
    return None if all(new is old for new, old in zip(scrubbed, items, strict=True)) else scrubbed


def _event(event: Event, scrubber: Scrubber) -> Event:
    before = _items(event.attributes)
    attributes = scrubber.attributes(before)
    if attributes is before:
        return event
    return Event(event.name, bounded(attributes, event.dropped_attributes), event.timestamp)


def _link(link: Link, scrubber: Scrubber) -> Link:
    before = _items(link.attributes)
    attributes = scrubber.attributes(before)
    return link if attributes is before else Link(link.context, bounded(attributes, link.dropped_attributes))


def _list(items: Sequence[Any], dropped: int) -> BoundedList[Any]:
    bounded = BoundedList.from_seq(len(items), items)
    bounded.dropped = dropped
    return bounded
