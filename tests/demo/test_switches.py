"""The fault switches as a file, and the table that describes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from shop.faults import FAULTS, NAMES, Switches

DOCS = Path(__file__).parents[2] / "docs" / "demo.md"


def test_nothing_is_on_without_a_file(tmp_path: Path) -> None:
    """A shop that was just started is healthy."""
    assert Switches(tmp_path / "faults.json").on() == frozenset()


def test_a_switch_turned_on_is_seen_through_another_object(tmp_path: Path) -> None:
    """Processes share the state by the file alone; turning one off leaves the others on."""
    writer, reader = (Switches(tmp_path / "faults.json") for _ in range(2))
    writer.turn("slow_query", on=True)
    writer.turn("queue_lag", on=True)
    writer.turn("slow_query", on=False)
    assert reader.on() == {"queue_lag"}
    assert (reader.is_on("queue_lag"), reader.is_on("slow_query")) == (True, False)


def test_an_unknown_name_is_refused(tmp_path: Path) -> None:
    """A typo in a service's code or a caller's request does not pass for a fault that is off."""
    switches = Switches(tmp_path / "faults.json")
    with pytest.raises(KeyError, match="slow_quarry"):
        switches.is_on("slow_quarry")
    with pytest.raises(KeyError, match="slow_quarry"):
        switches.turn("slow_quarry", on=True)
    assert list(tmp_path.iterdir()) == []


def test_writing_leaves_one_file(tmp_path: Path) -> None:
    """The file is replaced as a whole; no temporary file stays."""
    Switches(tmp_path / "faults.json").turn("log_errors", on=True)
    assert [path.name for path in tmp_path.iterdir()] == ["faults.json"]


def test_the_table_has_every_fault_once() -> None:
    """Thirteen faults, each with its own name and with words for the page."""
    assert len(NAMES) == len(FAULTS) == 13
    assert [fault for fault in FAULTS if not (fault.title and fault.breaks and fault.look)] == []


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_the_docs_tell_of_every_fault(fault) -> None:
    """docs/demo.md names each switch and gives the same filter as the page."""
    text = DOCS.read_text(encoding="utf-8")
    assert f"`{fault.name}`" in text
    assert fault.filter_text in text
