"""Names, uids and areas of components."""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from spanglass_server.forms.names import slug

if TYPE_CHECKING:
    from spanglass_server.health.model import Area

#: What the name of an application's check tells about what it looks at, first match first.
_WORDS: Final[tuple[tuple[Area, str], ...]] = (
    ("cache", r"cache|redis|memcached|valkey"),
    ("database", r"database|db|sql|postgres(ql)?|mysql|mariadb|mongo(db)?|oracle|sqlite|clickhouse|cassandra"),
    ("task", r"queue|worker|task|tasks|job|jobs|celery|scheduler|cron|broker|rabbitmq|kafka"),
    ("system", r"disk|memory|cpu|system|host|filesystem"),
    ("api", r"api|http|rest|graphql|grpc"),
    ("dependency", r"upstream|external|payment|payments|gateway|smtp|mail|s3|storage|dependency|dns"),
)
_PATTERNS: Final = tuple((area, re.compile(rf"(?<![a-z])(?:{words})(?![a-z])")) for area, words in _WORDS)
#: Systems that spans of databases name and that are caches.
CACHES: Final = frozenset({"redis", "memcached", "valkey", "keydb", "dragonfly", "hazelcast"})


def area_of_name(name: str) -> Area:
    """The area of an application's check, by the words of its name; "component" if they tell nothing."""
    words = name.lower().replace("_", " ")
    return next((area for area, pattern in _PATTERNS if pattern.search(words)), "component")


@lru_cache(maxsize=20_000)
def uid_of(area: Area, name: str) -> str:
    """The uid of a component: its area and name, and a digest where small letters and dashes can't tell the name."""
    short = slug(name, "x")
    plain = re.sub(r"[\s_.]+", "-", name.strip().lower())
    return f"{area}-{short}" if short == plain else f"{area}-{short}-{_digest(name)}"


def application_uid(service: str, name: str) -> str:
    """The uid of an application's check."""
    return f"app-{slug(service, 'x')}-{slug(name, 'x')}-{_digest(f'{service}/{name}')}"


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=4).hexdigest()
