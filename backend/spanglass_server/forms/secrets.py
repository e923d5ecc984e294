"""Secrets in written forms: a text, or where it stands (``{env: NAME}``, ``{file: PATH}``), read when it is used."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from spanglass_core.settings_types import Secret
from spanglass_server.forms.kinds import FAILED, described

if TYPE_CHECKING:
    from spanglass_server.forms.nodes import Node
    from spanglass_server.forms.problems import Report

_MAX_BYTES = 65_536
_HINT = "write {env: NAME} for a variable of the server's environment, or {file: PATH}"
#: What is written in the place of a secret that is a text.
HIDDEN: Final = "***"


class SecretError(ValueError):
    """A secret can't be read; says what to do, and nothing of what it holds."""


@dataclass(frozen=True, slots=True)
class SecretSource:
    """Where a secret stands. No representation shows one that is written down itself."""

    kind: Literal["text", "env", "file"]
    place: Secret

    def reveal(self) -> str:
        """The secret as it is now, so that one that was renewed counts at once; raises ``SecretError``."""
        if self.kind == "env":
            return _of_environment(self.place.reveal())
        return _of_file(Path(self.place.reveal())) if self.kind == "file" else self.place.reveal()


def _of_environment(name: str) -> str:
    text = os.environ.get(name, "")
    if not text:
        raise SecretError(f"the variable {name} is not set in the server's environment: set it, and start it again")
    return text


def _of_file(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            text = stream.read(_MAX_BYTES).decode("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise SecretError(f"{path} can't be read: {reason}") from None
    if not text:
        raise SecretError(f"{path} is empty: write the secret into it")
    return text


class SecretKind:
    """A secret; see ``Kind``. It is written as where it stands, and hidden where it is a text."""

    schema: Final[dict[str, Any]] = {
        "oneOf": [
            {"type": "string"},
            {"type": "object", "properties": {"env": {"type": "string"}}, "required": ["env"]},
            {"type": "object", "properties": {"file": {"type": "string"}}, "required": ["file"]},
        ]
    }

    def read(self, node: Node, report: Report) -> Any:
        """See ``Kind``."""
        if node.sort == "null":
            return None
        if node.sort == "mapping" and len(node.entries) == 1 and node.entries[0].key in {"env", "file"}:
            entry = node.entries[0]
            if entry.value.sort != "text" or not entry.value.text.strip():
                report.add(entry.value, f"expected a name, not {described(entry.value)}", _HINT)
                return FAILED
            return SecretSource("env" if entry.key == "env" else "file", Secret(entry.value.text))
        if node.sort in {"mapping", "list"} or not node.text:
            report.add(node, "expected a secret", _HINT)
            return FAILED
        return SecretSource("text", Secret(node.text))

    def write(self, value: Any, *, full: bool) -> Any:
        """See ``Kind``."""
        del full
        if value is None:
            return None
        return HIDDEN if value.kind == "text" else {value.kind: value.place.reveal()}
