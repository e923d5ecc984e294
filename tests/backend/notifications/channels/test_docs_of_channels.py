"""docs/channels.md against the code."""

from __future__ import annotations

import re
from pathlib import Path

from made_channels import read

from spanglass_server.notifications.channels.kinds import KINDS
from spanglass_server.notifications.channels.services.schemes import SERVICES

_TEXT = (Path(__file__).parents[4] / "docs" / "channels.md").read_text("utf-8")


def _channels(block: str) -> list[str]:
    """What is written below ``channels:``. Lines that each hold a whole channel may have one name."""
    inner = block.partition("channels:\n")[2].partition("  alerting:")[0] or block
    plain = re.sub(r"^    ", "", inner, flags=re.MULTILINE) if inner is not block else block
    lines = plain.splitlines()
    return lines if all(re.match(r"\S+: \{.*\}", line) for line in lines) else [plain]


def test_the_examples_are_right():
    """Every channel that the page shows is taken as it is written, and every kind is shown."""
    kinds: set[str] = set()
    for block in re.findall(r"^```yaml\n(.*?)^```", _TEXT, flags=re.MULTILINE | re.DOTALL):
        for written in _channels(block):
            found, problems = read(written)
            assert problems == []
            kinds.update(each.kind for each in found)
    assert kinds == set(KINDS)


def test_the_services_are_listed():
    """The page names each service that may be used, with its schemes."""
    for name, schemes in SERVICES.items():
        assert f"{name} (`{'`, `'.join(schemes)}`)" in _TEXT
