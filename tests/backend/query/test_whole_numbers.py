"""Whole numbers of answers: 64 bits, whatever telemetry says."""

from __future__ import annotations

import math

import orjson
import pytest

from spanglass_server.query.answers import whole


@pytest.mark.parametrize("figure", [2.4, -3.0, 5e19, -5e19, 1e300, math.inf, -math.inf, math.nan])
def test_any_figure_is_a_whole_number_of_json(figure):
    """What is larger, or not finite, ends at 64 bits; others are rounded."""
    found = whole(figure)
    assert orjson.loads(orjson.dumps(found)) == found
    if abs(figure) < 10:
        assert found == round(figure)
