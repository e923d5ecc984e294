"""What a span of messaging says: which queue, what was done, to which message."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from spanglass_server.query.trace_views.named import text_of

if TYPE_CHECKING:
    from spanglass_server.query.trace_views.named import Attributes


class Fact(TypedDict):
    """Something about a message, in words."""

    name: str
    value: str


class Messaging(TypedDict):
    """What was done in which queue or topic of which system; all are texts, empty where the sender does not say."""

    system: str
    operation: str
    destination: str
    facts: list[Fact]


_FACTS = (
    ("message", "messaging.message.id"),
    ("conversation", "messaging.message.conversation_id"),
    ("messages of the batch", "messaging.batch.message_count"),
    ("consumer group", "messaging.consumer.group.name"),
    ("subscription", "messaging.destination.subscription.name"),
    ("partition", "messaging.destination.partition.id"),
    ("offset", "messaging.kafka.offset"),
    ("key", "messaging.kafka.message.key"),
    ("routing key", "messaging.rabbitmq.destination.routing_key"),
    ("delivery tag", "messaging.rabbitmq.message.delivery_tag"),
    ("bytes of the body", "messaging.message.body.size"),
    ("client", "messaging.client.id"),
)


def messaging(attributes: Attributes) -> Messaging | None:
    """Read the span of a producer or consumer; None for others."""
    system = text_of(attributes, "messaging.system")
    if not system:
        return None
    facts = [Fact(name=name, value=text_of(attributes, key)) for name, key in _FACTS]
    return {
        "system": system,
        "operation": text_of(attributes, "messaging.operation.name") or text_of(attributes, "messaging.operation.type"),
        "destination": text_of(attributes, "messaging.destination.name"),
        "facts": [fact for fact in facts if fact["value"]],
    }
