"""Channels as they are written: keys that all have, and the options of their kind beside them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from spanglass_server.forms.kinds import FAILED, Duration, Flag, Nullable, Number, Text
from spanglass_server.forms.problems import meant
from spanglass_server.forms.shapes import Shape
from spanglass_server.notifications.config.layouts import ByName
from spanglass_server.notifications.config.sections import Found, Section, Use
from spanglass_server.notifications.messages.rendering.checking import problem_of
from spanglass_server.notifications.model import Channel, Limit
from spanglass_server.notifications.routing.tree import NOBODY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from spanglass_server.forms.nodes import Entry, Node
    from spanglass_server.forms.problems import Report

CHANNELS = "channels"
_SECOND_NS = 10**9


@dataclass(frozen=True, slots=True)
class ChannelKind:
    """A kind of channels: ``options`` says which keys it has beside those of all channels.

    ``destination`` are those that say who gets its secrets: where one changes, secrets have to be given anew.
    ``title`` and ``summary`` stand in its schema, for forms.
    """

    name: str
    options: Shape
    destination: tuple[str, ...] = ()
    title: str = ""
    summary: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Common:
    """What every channel has."""

    send_resolved: bool = True
    fallback: str = ""
    limit: Limit | None = None
    title: str = ""
    text: str = ""
    html: str = ""


class Template(Text):
    """A template of messages: right by its syntax and names, before anything is sent by it."""

    def read(self, node: Node, report: Report) -> Any:
        """See ``Kind``."""
        text = super().read(node, report)
        problem = problem_of(text) if text is not FAILED and text else ""
        if problem:
            report.add(node, f"the template is wrong: {problem}", "docs/messages.md lists what templates can use")
            return FAILED
        return text


_LIMIT = Shape(Limit, {"messages": Number(1, 100_000, whole=True), "per": Duration(_SECOND_NS)})
_COMMON = Shape(
    _Common,
    {
        "send_resolved": Flag(),
        "fallback": Text(),
        "limit": Nullable(_LIMIT),
        "title": Template(),
        "text": Template(),
        "html": Template(),
    },
)


class ChannelForm:
    """Reads and writes a channel: its ``type`` is by default its name."""

    def __init__(self, kinds: Sequence[ChannelKind]) -> None:
        self._kinds = {kind.name: kind.options for kind in kinds}
        self._words = {kind.name: {"title": kind.title or kind.name, "description": kind.summary} for kind in kinds}
        for kind in kinds:
            taken = set(kind.options.kinds) & {"type", *_COMMON.kinds}
            if taken:
                raise ValueError(f"the kind {kind.name} has keys that all channels have: {', '.join(sorted(taken))}")

    @property
    def schemas(self) -> Mapping[str, dict[str, Any]]:
        """The JSON schema of each kind, by its name."""
        return {name: self._schema(name) for name in self._kinds}

    @property
    def schema(self) -> dict[str, Any]:
        """See ``Form``."""
        return {"anyOf": list(self.schemas.values())}

    def read(self, name: str, node: Node, report: Report) -> Any:
        """See ``Form``."""
        if node.sort != "mapping":
            report.add(node, "expected a mapping with the channel's type and its options")
            return FAILED
        if name == NOBODY:
            report.add(node, f"{NOBODY!r} stands for no channel at all", "give this one another name")
            return FAILED
        kind = self._kind(name, node, report)
        if kind is None:
            return FAILED
        shape = self._kinds[kind]
        common = _COMMON.read(_only(node, _COMMON.kinds), report)
        options = shape.read(_without(node, ("type", *_COMMON.kinds), tuple(_COMMON.kinds), shape, report), report)
        if common is FAILED or options is FAILED:
            return FAILED
        return Channel(
            name=name,
            kind=kind,
            options=options,
            **{key: getattr(common, key) for key in _COMMON.kinds},
        )

    def write(self, value: Any, *, full: bool) -> Any:
        """See ``Form``."""
        common = _COMMON.write(_Common(**{key: getattr(value, key) for key in _COMMON.kinds}), full=full)
        kind = {"type": value.kind} if full or value.kind != value.name else {}
        return {**kind, **self._kinds[value.kind].write(value.options, full=full), **common}

    def _kind(self, name: str, node: Node, report: Report) -> str | None:
        given = node.named("type")
        kind = given.text if given is not None else name
        if kind in self._kinds:
            return kind
        message = f"there is no type {kind!r} of channels" if given is not None else "type is missing"
        report.add(given or node, message, meant(kind, self._kinds))
        return None

    def _schema(self, name: str) -> dict[str, Any]:
        own, common = self._kinds[name].schema, _COMMON.schema
        properties = {"type": {"const": name}, **own["properties"], **common["properties"]}
        return {**own, **self._words[name], "properties": properties}


def _all_may(_: Channel) -> Iterable[tuple[str, str]]:
    return ()


def channel_section(
    kinds: Sequence[ChannelKind], refused: Callable[[Channel], Iterable[tuple[str, str]]] = _all_may
) -> Section:
    """The section of channels, of these kinds; see ``Section`` for ``refused``."""
    destinations = {kind.name: kind.destination for kind in kinds}

    def moved(channel: Channel, before: Channel) -> list[str]:
        if channel.kind != before.kind:
            return ["type"]
        keys = destinations[channel.kind]
        return [key for key in keys if getattr(channel.options, key) != getattr(before.options, key)]

    return Section(
        CHANNELS,
        "channel",
        ("monitoring", "channels"),
        ChannelForm(kinds),
        ByName(),
        uses=_uses,
        placed=_placed,
        moved=moved,
        refused=refused,
    )


def _uses(channel: Channel) -> Iterator[Use]:
    if channel.fallback:
        yield Use(channel.fallback, (CHANNELS,), "fallback")


def _placed(channel: Channel, found: Found) -> Channel:
    return replace(channel, origin=found.origin, file=found.file, line=found.line, version=found.version)


def _only(node: Node, keys: Mapping[str, Any]) -> Node:
    return replace(node, entries=tuple(entry for entry in node.entries if entry.key in keys))


def _without(node: Node, keys: tuple[str, ...], common: tuple[str, ...], shape: Shape, report: Report) -> Node:
    """The options' entries; one that is of no kind is told of with all keys that there are."""
    entries: list[Entry] = []
    for entry in node.entries:
        if entry.key in keys:
            continue
        known = (*shape.shorter, *shape.kinds)
        if entry.key not in known:
            hint = meant(entry.key, (*known, *common))
            report.add_at(entry.value.path, (entry.line, entry.column), f"unknown key {entry.key!r}", hint)
        else:
            entries.append(entry)
    return replace(node, entries=tuple(entries))
