"""Response steps: what a runbook says is to be done, item by item."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from spanglass_server.incidents.model import ResponseStep

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

#: Of one incident; a runbook of more is a book.
MOST_STEPS = 100
_LONGEST = 1000
_MAX_BYTES = 200_000
_ADDRESS = re.compile(r"https?://[^\s\"<>]+")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
#: An item of a list that is not inside another one: ``1. ...``, ``- ...``, ``- [ ] ...``.
_ITEM = re.compile(r" ?(?:[-*+]|\d{1,3}[.)])[ \t]+(?:\[[ xX]\][ \t]+)?(\S.*)")


def is_address(runbook: str) -> bool:
    """Whether a runbook is the address of a page."""
    return _ADDRESS.fullmatch(runbook.strip()) is not None


def steps_of(runbook: str, origin: str) -> tuple[ResponseStep, ...]:
    """The steps of a runbook's text, in Markdown: the items of its lists; without lists its lines.

    Of the address of a page the one step is to follow it.
    """
    text = runbook.strip()
    if not text:
        return ()
    if is_address(text):
        return (ResponseStep(f"Follow the runbook {text}", origin),)
    items = list(_items(text.splitlines()))
    if not items:
        items = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return tuple(ResponseStep(item[:_LONGEST], origin) for item in items[:MOST_STEPS])


def _items(lines: Iterable[str]) -> Iterator[str]:
    """Items with the lines that are indented below them; code in fences stays together with its item."""
    item = ""
    for line in lines:
        found = _ITEM.fullmatch(line.rstrip())
        if found:
            if item:
                yield item
            item = found[1]
        elif item and line[:1] in {" ", "\t"}:
            item = f"{item} {line.strip()}".rstrip()
        elif line.strip():
            if item:
                yield item
            item = ""
    if item:
        yield item


def added(steps: Sequence[ResponseStep], more: Iterable[ResponseStep]) -> tuple[ResponseStep, ...]:
    """Steps with more of them, each text once."""
    known = {step.text for step in steps}
    found = [*steps]
    for step in more:
        if step.text not in known and len(found) < MOST_STEPS:
            known.add(step.text)
            found.append(step)
    return tuple(found)


class Runbooks:
    """Runbooks by name: the Markdown files of a directory, read when they are needed."""

    def __init__(self, directory: Path | None = None) -> None:
        self._directory = directory

    def text(self, runbook: str) -> str:
        """The text of the runbook that an alert or a rule names; what is no name of a file is the text itself."""
        name = runbook.strip()
        if self._directory is None or not _NAME.fullmatch(name):
            return runbook
        for path in (self._directory / name, self._directory / f"{name}.md"):
            try:
                with path.open("rb") as file:
                    return file.read(_MAX_BYTES).decode("utf-8", errors="replace")
            except OSError:
                continue
        return runbook
