"""What is to be scraped, as the settings file says it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import re
    from collections.abc import Mapping
    from pathlib import Path

Action = Literal["keep", "drop", "rename", "remove"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One step of relabelling: ``keep`` or ``drop`` series by a label's value, ``rename`` or ``remove`` a label."""

    action: Action
    label: str
    regex: re.Pattern[str] | None = None  # of keep and drop; the whole value must match
    to: str = ""  # of rename


@dataclass(frozen=True, slots=True)
class Job:
    """Targets that are scraped alike."""

    job: str
    targets: tuple[str, ...]  # host:port
    interval_s: float = 15.0
    timeout_s: float = 10.0
    path: str = "/metrics"
    scheme: str = "http"
    headers: Mapping[str, str] = field(default_factory=dict)
    bearer_token_file: Path | None = None
    ca_file: Path | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    honor_labels: bool = False  # keep a target's own labels where they are those of the job
    relabel: tuple[Rule, ...] = ()
    max_body_bytes: int = 16 << 20  # after decompression

    def url(self, target: str) -> str:
        """Where a target is asked."""
        return f"{self.scheme}://{target}{self.path}"
