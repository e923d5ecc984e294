"""Values as YAML that people read: keys in their order, lists below their key, texts of several lines as blocks."""

from __future__ import annotations

from typing import Any

import yaml

_WIDTH = 1000  # queries stay on one line


class _Dumper(yaml.SafeDumper):
    """Indents lists below their key, and writes texts of several lines as blocks."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - PyYAML's
        """See ``yaml.emitter.Emitter``."""
        super().increase_indent(flow, False)  # noqa: FBT003 - PyYAML's


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def dump(value: Any) -> str:
    """Write lists, mappings, texts, numbers and truth values."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH)
