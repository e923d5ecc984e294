"""Label sets in columns."""

from __future__ import annotations

import numpy as np
import pytest

from spanglass_server.promql.series.labels import LabelColumn, LabelSets

ROWS = [
    {"__name__": "up", "job": "shop", "instance": "a"},
    {"__name__": "up", "job": "shop", "instance": "b"},
    {"__name__": "up", "job": "mail"},
]


def test_label_sets_are_given_back_as_they_were() -> None:
    """Encoding and decoding changes nothing; a label that a series lacks stays away."""
    assert LabelSets.of(ROWS).rows() == [dict(sorted(row.items())) for row in ROWS]


def test_series_are_grouped_by_some_labels_in_order_of_appearance() -> None:
    """Equal values of the named labels are one group; a missing label counts as the empty value."""
    labels = LabelSets.of(ROWS)
    by_job, by_instance = labels.groups(["job", "unknown"]), labels.groups(["instance"])
    assert (by_job.of.tolist(), by_job.first.tolist()) == ([0, 0, 1], [0, 2])
    assert by_instance.of.tolist() == [0, 1, 2]
    assert labels.groups([]).of.tolist() == [0, 0, 0]
    assert labels.groups().size == 3


def test_label_sets_with_other_dictionaries_are_joined_by_value() -> None:
    """Codes differ from set to set; after joining, equal texts are equal groups."""
    first, second = LabelSets.of([{"job": "a"}, {"job": "b"}]), LabelSets.of([{"job": "b", "zone": "x"}])
    joined = LabelSets.concat([first, second])
    assert joined.rows() == [{"job": "a"}, {"job": "b"}, {"job": "b", "zone": "x"}]
    assert joined.groups(["job"]).of.tolist() == [0, 1, 1]
    assert joined.groups().of.tolist() == [0, 1, 2]


def test_labels_are_kept_dropped_replaced_and_taken() -> None:
    """Each leaves the other labels and the other series alone."""
    labels = LabelSets.of(ROWS)
    assert labels.keep({"job"}).rows() == [{"job": "shop"}, {"job": "shop"}, {"job": "mail"}]
    assert "__name__" not in labels.drop({"__name__"}).columns
    assert labels.replace({"job": LabelColumn.constant("one", 3)}).column("job").texts() == ["one"] * 3
    assert labels.take(np.array([2, 0])).rows() == [ROWS[2], dict(sorted(ROWS[0].items()))]
    assert labels.column("job").matching(np.array([False, True, False])).tolist() == [True, True, False]
    assert labels.column("unknown").texts() == ["", "", ""]


def test_many_labels_of_many_values_do_not_overflow() -> None:
    """The product of all dictionary sizes may pass 64 bits."""
    rows = [{f"l{label}": str((row * (label + 3)) % 50) for label in range(30)} for row in range(100)]
    expected = {tuple(sorted(row.items())) for row in rows}
    assert LabelSets.of(rows).groups().size == len(expected)


@pytest.mark.parametrize("size", [0, 1, 32, 33, 80])
def test_few_series_are_grouped_as_many_are(size: int) -> None:
    """Groups are numbered as they appear, whichever way is quicker for so many series."""
    pairs = [(str(row * 7 % 5), str(row * row % 4)) for row in range(size)]
    distinct = list(dict.fromkeys(pairs))
    groups = LabelSets.of([{"a": one, "b": other} for one, other in pairs]).groups()
    assert groups.of.tolist() == [distinct.index(pair) for pair in pairs]
    assert groups.first.tolist() == [pairs.index(pair) for pair in distinct]
