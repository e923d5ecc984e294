"""What people say of how long traces are kept, and what can be wrong with that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.forms.problems import Problem

Keep = Literal["errors", "slow", "exemplars", "matching"]

#: What stands for the 99th percentile of each operation, as a bound of slow traces.
P99: Final = "p99"
#: Of policies there are so many at most; each asks storage a question a segment.
MOST_POLICIES: Final = 20


@dataclass(frozen=True, slots=True)
class Policy:
    """Traces that are kept for an age of their own, longer than the others or shorter.

    ``keep`` says which: with a failed span; with a slow one; that an exemplar of a metric names; with a span that
    ``filter`` matches. ``services`` and ``filter`` narrow the first two: the failed or slow span has to match as well.
    """

    name: str
    keep: Keep
    age_ns: int  # 0 for ever
    services: tuple[str, ...] = ()
    filter: str = ""
    slower_than: str = ""  # P99, or a duration
    bound_ns: int = 0


@dataclass(frozen=True, slots=True)
class Thinning:
    """Of traces that no policy names, one in so many is kept once they are older than ``after_ns``."""

    after_ns: int
    keep_one_in: int


@dataclass(frozen=True, slots=True)
class Policies:
    """All of it. The first policy that names a trace counts; without any nothing is kept longer or thinned."""

    policies: tuple[Policy, ...] = ()
    ordinary: Thinning | None = None

    @property
    def is_empty(self) -> bool:
        """Whether they say nothing."""
        return not self.policies and self.ordinary is None


@dataclass(frozen=True, slots=True)
class Version:
    """The policies as somebody changed them; ``text`` is their YAML."""

    number: int
    time_ns: int
    actor: str
    note: str
    text: str


class PoliciesError(Exception):
    """Policies that can't be taken, with every problem."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = tuple(problems)


class RetentionStoreError(Exception):
    """The file of policies is none of this server's, or damaged; says what to do."""
