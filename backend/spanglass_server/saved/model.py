"""Views as they are saved, what may be saved, and what can be wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

#: So many views are kept in all, so many of them in the navigation of one reader, his own and the shared ones.
MOST_VIEWS: Final = 500
MOST_IN_NAVIGATION: Final = 12
LONGEST_NAME: Final = 80
LONGEST_URL: Final = 8000
#: So many traces are pinned at most.
MOST_PINS: Final = 200
LONGEST_NOTE: Final = 2000
#: Pages that a reader explores with; those below them are their own (``/services/checkout``).
EXPLORERS: Final = (
    "/", "/services", "/findings", "/map", "/traces", "/differences", "/issues", "/releases", "/alerts", "/incidents",
    "/rules", "/silences", "/deliveries", "/health", "/logs", "/hosts", "/processes", "/metrics", "/dashboards",
    "/server", "/users", "/tasks", "/profiles", "/pinned",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class View:
    """A page's address with a name.

    ``owner`` is who keeps it; where it is ``shared``, everybody sees it. ``pinned`` ones stand in the navigation; what
    is ``default`` is what the navigation opens of its page.
    """

    name: str
    url: str
    owner: str
    shared: bool = False
    pinned: bool = False
    default: bool = False

    @property
    def page(self) -> str:
        """The page that it is a view of: the path of its address."""
        return page_of(self.url)


@dataclass(frozen=True, slots=True)
class KeptView:
    """A view with its id and the moments at which it was made and changed, in nanoseconds since 1970."""

    id: int
    view: View
    created_ns: int
    changed_ns: int


@dataclass(frozen=True, slots=True)
class Pin:
    """A trace that outlives retention, with what it was when it was pinned: ``bytes`` is what it takes as a file.

    ``trace_id`` has 16 bytes. Times are in nanoseconds, ``pinned_ns`` and ``start_ns`` since 1970.
    """

    trace_id: bytes
    note: str
    actor: str
    pinned_ns: int
    service: str
    name: str
    start_ns: int
    duration_ns: int
    spans: int
    errors: int
    bytes: int


class SavedError(Exception):
    """What is asked for is refused: ``field`` is at fault, ``hint`` says what to do next."""

    def __init__(self, message: str, field: str, hint: str) -> None:
        super().__init__(message)
        self.field, self.hint = field, hint


class TakenError(SavedError):
    """Another view has the name."""


class UnknownViewError(Exception):
    """There is no view with that id."""


class UnknownPinError(Exception):
    """The trace is not pinned."""


class SavedStoreError(Exception):
    """The file of what is saved can't be used; the message says what to do next."""


def page_of(url: str) -> str:
    """Return the path of an address."""
    return urlsplit(url).path


def checked(view: View) -> View:
    """Return a view that may be saved; ``SavedError`` for another."""
    if not view.name or len(view.name) > LONGEST_NAME or not view.name.isprintable():
        hint = f"give it a name of 1 to {LONGEST_NAME} characters, in one line"
        raise SavedError("that is no name for a view", "name", hint)
    if not view.owner:
        raise SavedError("a view needs an owner", "owner", "say who keeps it; a free name")
    hint = "send the path and parameters of a page, such as /traces?filter=status:error"
    if len(view.url) > LONGEST_URL:
        raise SavedError(f"the address is longer than {LONGEST_URL} characters", "url", "shorten its filter")
    if not _is_address(view.url):
        raise SavedError("that is no address of a page of this server", "url", hint)
    first = "/" + view.page.split("/")[1]
    if first not in EXPLORERS:
        raise SavedError(
            f"pages of {first[:100]} can't be saved as views", "url", f"take one of {', '.join(EXPLORERS)}"
        )
    return view


def _is_address(url: str) -> bool:
    """Whether an address is a path with parameters, which no browser takes for that of another host."""
    has_path = url.startswith("/") and not unquote(url[:2]).startswith(("//", "/\\"))
    return has_path and url.isascii() and url.isprintable() and not set(url) & set(' \\"<>#')
