"""All routes about notifications."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.api.notifications.deliveries import delivery_routes
from spanglass_server.api.notifications.explaining import explaining_routes
from spanglass_server.api.notifications.on_call import on_call_routes
from spanglass_server.api.notifications.settings import settings_routes
from spanglass_server.api.notifications.silences import silence_routes
from spanglass_server.api.notifications.standing import standing_routes
from spanglass_server.api.notifications.trying import trying_routes

if TYPE_CHECKING:
    from spanglass_server.alerting.ports import AlertStore
    from spanglass_server.api.routing import Route
    from spanglass_server.notifications.config.book import Book
    from spanglass_server.notifications.desk import NotificationDesk


def notification_routes(desk: NotificationDesk, book: Book, alerts: AlertStore) -> tuple[Route, ...]:
    """Return all routes; those with words in the path come before those with an id there."""
    return (
        *standing_routes(desk, alerts),
        *trying_routes(desk, book),
        *explaining_routes(desk),
        *settings_routes(book),
        *silence_routes(desk),
        *delivery_routes(desk),
        *on_call_routes(desk),
    )
