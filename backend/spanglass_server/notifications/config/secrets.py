"""Secrets within things that are kept: never shown again, and kept when what is shown is given back."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, Final

from spanglass_server.forms.secrets import SecretError, SecretKind, SecretSource

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Stands for a secret that is a text in what is shown; given back, it means the secret that is kept.
KEPT: Final = {"kept": True}


class PlainSecret(str):
    """A secret within written JSON, which tells it from other texts; hide it before anybody sees it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "PlainSecret(...)"


class SecretReference(dict[str, str]):
    """``{env: NAME}`` or ``{file: PATH}`` within written JSON."""


class SecretText(SecretKind):
    """A secret of a thing that is kept; see ``SecretKind``. A text is written as a ``PlainSecret``."""

    def write(self, value: Any, *, full: bool) -> Any:
        """See ``Kind``."""
        if value is None:
            return None
        if value.kind == "text":
            return PlainSecret(value.reveal())
        return SecretReference(super().write(value, full=full))


def hidden(written: Any) -> Any:
    """Written JSON with ``KEPT`` in the place of plain secrets."""
    return _mapped(written, dict(KEPT))


def revealed(written: Any) -> Any:
    """Written JSON with plain secrets as texts: what goes into files."""
    return _mapped(written, None)


def restored(given: Any, before: Any) -> Any:
    """JSON that somebody gives, with the secrets that ``KEPT`` stands for, from what was written before."""
    if given == KEPT and isinstance(before, PlainSecret):
        return str(before)
    if isinstance(given, dict):
        old = before if isinstance(before, dict) else {}
        return {key: restored(value, old.get(key)) for key, value in given.items()}
    if isinstance(given, list):
        olds = before if isinstance(before, list) else []
        return [restored(value, olds[at] if at < len(olds) else None) for at, value in enumerate(given)]
    return given


def has_kept(given: Any) -> bool:
    """Whether ``KEPT`` stands somewhere in JSON that somebody gives."""
    if given == KEPT:
        return True
    inner = given.values() if isinstance(given, dict) else given if isinstance(given, list) else ()
    return any(has_kept(value) for value in inner)


def references(written: Any, path: str = "") -> Iterator[str]:
    """Where written JSON names the environment or a file."""
    if isinstance(written, SecretReference):
        yield path
    elif isinstance(written, dict):
        for key, value in written.items():
            yield from references(value, f"{path}.{key}".removeprefix("."))
    elif isinstance(written, list):
        for at, value in enumerate(written):
            yield from references(value, f"{path}[{at}]")


def missing(value: Any) -> Iterator[str]:
    """Why secrets within a dataclass can't be had now."""
    if isinstance(value, SecretSource):
        try:
            value.reveal()
        except SecretError as error:
            yield str(error)
    elif is_dataclass(value):
        for entry in fields(value):
            yield from missing(getattr(value, entry.name))
    elif isinstance(value, dict):
        for item in value.values():
            yield from missing(item)
    elif isinstance(value, tuple):
        for item in value:
            yield from missing(item)


def _mapped(written: Any, instead: Any) -> Any:
    if isinstance(written, PlainSecret):
        return str(written) if instead is None else instead
    if isinstance(written, dict):
        return {key: _mapped(value, instead) for key, value in written.items()}
    if isinstance(written, list):
        return [_mapped(value, instead) for value in written]
    return written
