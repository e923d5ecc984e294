"""The corpus of stack traces, and how well fingerprints find its groups, as pairs: a table of ``docs/grouping.md``.

``python tests/core/grouping/corpus.py`` prints the table, and the pairs that are grouped otherwise than expected.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

from spanglass_core.grouping.exception import ExceptionReport
from spanglass_core.grouping.fingerprint import CURRENT_VERSION, fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_HEADING = ("| language | stacks | groups | precision | recall |", "| --- | ---: | ---: | ---: | ---: |")
BY_HAND = "written by hand"  # after a runtime's documentation
FOLDER = Path(__file__).parents[2] / "data" / "stacks"


@dataclass(frozen=True, slots=True)
class Entry:
    """One stack of the corpus, with the group that it is expected in; groups of services are apart."""

    file: str
    language: str
    group: str
    report: ExceptionReport
    key: int


@dataclass(frozen=True, slots=True)
class Score:
    """How pairs of stacks are grouped: of the pairs put together and of those that belong together, the right ones."""

    stacks: int
    groups: int
    precision: float
    recall: float


def entries(version: int = CURRENT_VERSION) -> list[Entry]:
    """Read the corpus; the same file always stands at the same place."""
    found = []
    for told in _told():
        stack = (FOLDER / told["file"]).read_bytes().decode("utf-8")
        report = ExceptionReport(told["service"], told["type"], told["message"], stack)
        key = fingerprint(version, report).key
        language = BY_HAND if "made" in told else told["language"]
        found.append(Entry(told["file"], language, f"{told['service']}: {told['group']}", report, key))
    return found


def _told() -> Iterator[dict[str, str]]:
    for index in sorted(FOLDER.glob("index*.json")):
        yield from json.loads(index.read_text("utf-8"))


def score(corpus: Iterable[Entry]) -> Score:
    """Compare the groups found with those expected, pair by pair."""
    read = list(corpus)
    together = _pairs(Counter(entry.key for entry in read))
    expected = _pairs(Counter(entry.group for entry in read))
    right = _pairs(Counter((entry.key, entry.group) for entry in read))
    groups = len({entry.group for entry in read})
    return Score(len(read), groups, right / together if together else 1.0, right / expected if expected else 1.0)


def table(corpus: list[Entry]) -> str:
    """Return the table of the documentation; "all" are those of real runs."""
    real = [entry for entry in corpus if entry.language != BY_HAND]
    languages = sorted({entry.language for entry in real})
    lines = [_line(name, score(entry for entry in corpus if entry.language == name)) for name in languages]
    by_hand = [entry for entry in corpus if entry.language == BY_HAND]
    return "\n".join([*_HEADING, *lines, _line("all", score(real)), _line(BY_HAND, score(by_hand))])


def wrong(corpus: list[Entry]) -> Iterator[str]:
    """Tell each pair that is grouped otherwise than expected."""
    for one, other in combinations(corpus, 2):
        if (one.group == other.group) != (one.key == other.key):
            yield f"{'split' if one.group == other.group else 'merged'}: {one.file} and {other.file}"


def _pairs(counts: Counter[int] | Counter[str] | Counter[tuple[int, str]]) -> int:
    return sum(count * (count - 1) // 2 for count in counts.values())


def _line(name: str, of: Score) -> str:
    return f"| {name} | {of.stacks} | {of.groups} | {of.precision:.3f} | {of.recall:.3f} |"


if __name__ == "__main__":
    CORPUS = entries()
    print(table(CORPUS), *wrong(CORPUS), sep="\n")  # noqa: T201 - what it is for
