"""Real stack traces of all languages: they are grouped as expected, and version 1 stays as it is."""

from __future__ import annotations

import json
from pathlib import Path

import corpus
import pytest

_DATA = Path(__file__).parents[2] / "data"
_DOCS = Path(__file__).parents[3] / "docs"


@pytest.fixture(scope="module")
def stacks() -> list[corpus.Entry]:
    """The corpus with its keys of version 1."""
    return corpus.entries(1)


def test_pairs_are_grouped_as_expected(stacks: list[corpus.Entry]) -> None:
    """Of the pairs put together nearly all are right, and nearly all that belong together are found."""
    found = corpus.score(stacks)
    assert found.stacks >= 80
    assert found.precision >= 0.98
    assert found.recall >= 0.95


def test_each_file_of_the_corpus_is_listed(stacks: list[corpus.Entry]) -> None:
    """Nothing lies about that is not compared."""
    files = {path.relative_to(corpus.FOLDER).as_posix() for path in corpus.FOLDER.rglob("*.txt")}
    assert {entry.file for entry in stacks} == {file for file in files if not file.startswith("sources/")}


def test_the_documented_table_is_true(stacks: list[corpus.Entry]) -> None:
    """``docs/grouping.md`` shows what ``python tests/core/grouping/corpus.py`` prints."""
    assert corpus.table(stacks) in (_DOCS / "grouping.md").read_text("utf-8")


def test_version_1_never_changes(stacks: list[corpus.Entry]) -> None:
    """Keys once given stay: another way of grouping is another version.

    New stacks are added to ``grouping_version_1.json`` with the keys that they have; no key in it is ever changed.
    """
    frozen = json.loads((_DATA / "grouping_version_1.json").read_text("utf-8"))
    assert {entry.file: entry.key for entry in stacks} == frozen
