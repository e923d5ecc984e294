"""A setting that lists hosts, addresses and networks."""

from __future__ import annotations

import re
from ipaddress import ip_network
from typing import Final

from spanglass_core.settings_types import SettingType

_NAME: Final = re.compile(r"(?:\*\.)?[\w-]{1,63}(?:\.[\w-]{1,63}){0,20}\.?")
_NUMBERS: Final = re.compile(r"[\d./x]+")


def parse_destinations(text: str) -> tuple[str, ...]:
    """Read ``host, *.name, address, network``. Raises ``ValueError`` for what is none of them."""
    entries = tuple(part.strip() for part in text.split(",") if part.strip())
    for entry in entries:
        if not _is_network(entry) and (_NUMBERS.fullmatch(entry) or not _NAME.fullmatch(entry)):
            raise ValueError(
                f"{entry!r} is no host, address or network: write a name such as hooks.corp.example or "
                "*.corp.example, or 10.1.0.0/16, without https:// and without a port"
            )
    return entries


def _is_network(entry: str) -> bool:
    try:
        ip_network(entry.strip("[]"))
    except ValueError:
        return False
    return True


DESTINATIONS: Final = SettingType("list", parse_destinations, ", ".join)
