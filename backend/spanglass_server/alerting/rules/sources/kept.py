"""Rules made in pages: a YAML file each in the data directory, with the versions that they had before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.alerting.ports import Found
from spanglass_server.alerting.rules.form.spec import RULES
from spanglass_server.alerting.rules.sources.files import read_file
from spanglass_server.forms.files import Contents
from spanglass_server.forms.kept import Form, KeptFiles
from spanglass_server.forms.names import TAKEN
from spanglass_server.forms.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from spanglass_core.alerting.rule import Rule
    from spanglass_server.alerting.model import Origin
    from spanglass_server.alerting.rules.sources.files import Standing
    from spanglass_server.store.disk import Disk


class KeptRules:
    """The rules of a data directory that were made in pages or over the API; a ``RuleSource`` that is written too.

    Changes raise ``ConflictError``, and ``OSError`` when the disk can't be used; then nothing changed.
    """

    origin: Origin = "kept"

    def __init__(self, directory: Path, disk: Disk, clock_ns: Callable[[], int]) -> None:
        form = Form(
            RULES.one, RULES.many, _read, lambda found: RULES.to_yaml([each.rule for each in found]), TAKEN["rule"]
        )
        self._files = KeptFiles(directory, disk, clock_ns, form)

    def read(self) -> Contents[Standing]:
        """See ``RuleSource``."""
        contents = self._files.contents()
        return Contents(tuple(contents.found), contents.problems)

    def found(self, uid: str) -> Found | None:
        """A kept rule as it is written, without what is tuned of it."""
        return next((found for found in self._files.contents().found if found.uid == uid), None)

    def put(self, rule: Rule, version: str) -> Found:
        """Keep a rule in the place of the one with its uid and this version ("": a new one)."""
        digest = RULES.version_of(rule)
        return self._files.put(rule.uid, version, lambda file: Found(rule, self.origin, file, digest))

    def delete(self, uid: str, version: str) -> None:
        """Delete a rule that has this version; ``KeyError`` for one that is not there."""
        self._files.delete(uid, version)

    def versions(self, uid: str) -> list[tuple[int, Found]]:
        """What it was before, with the time in ns it was replaced or deleted, newest first."""
        return self._files.versions(uid)


def _read(text: str, file: str) -> Contents[Found]:
    """What is kept is written anew in our form, so that a file of Prometheus', put there by hand, would be lost."""
    read = read_file(text, file, "kept")
    rules = tuple(each for each in read.standing if isinstance(each, Found) and not each.group)
    if len(rules) < len(read.standing):
        hint = "put it into the directory that alerting.dir names"
        return Contents((), (Problem("a rule file of Prometheus does not count here", file=file, hint=hint),))
    return Contents(rules, read.problems)
