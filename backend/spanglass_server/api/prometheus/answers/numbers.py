"""Floats and times as Prometheus writes them in JSON, for whole columns at once.

A sample's value is a JSON string of the shortest digits that give the float back, in the forms of Go's strconv: 'f'
from 1e-6 up to 1e21, 'e' with two digits of exponent beyond, "NaN", "+Inf", "-Inf". Times are seconds, with three
decimals unless they are whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from numpy.typing import NDArray

TEXT = pa.large_string()
_COMMA, _QUOTE, _DOT, _ZERO = b',".0'
#: Between these (absolute) orjson writes what Go does, but for the ".0" of whole numbers; it does for 0 too.
_PLAIN_FROM, _PLAIN_BELOW = 1e-5, 1e16
#: Between these Go writes no exponent.
_FIXED_FROM, _FIXED_BELOW = 1e-6, 1e21
#: Exponents of floats from ``_PLAIN_BELOW`` to ``_FIXED_BELOW``.
_LONG_EXPONENTS = range(16, 21)
_MOST_DIGITS = 17


def closed_floats(values: NDArray[np.float64]) -> pa.LargeStringArray:
    """Write each float, with the quote that closes its JSON string behind it.

    orjson writes digits three times as fast as Arrow's cast does (85 ns a value); its text is taken apart in place.
    """
    if not len(values):
        return pa.array([], TEXT)
    texts = _plain(values)
    sizes = np.abs(values)
    odd = ~((sizes >= _PLAIN_FROM) & (sizes < _PLAIN_BELOW) | (sizes == 0))
    if odd.any():
        texts = pc.replace_with_mask(texts, pa.array(odd), _odd(values[odd]))
    return texts


def float_texts(values: NDArray[np.float64]) -> pa.LargeStringArray:
    """Write each float, without quotes."""
    return pc.utf8_slice_codeunits(closed_floats(values), 0, -1)


def _plain(values: NDArray[np.float64]) -> pa.LargeStringArray:
    """Write floats as orjson does, whole ones without their ".0"; a quote is put where each comma was."""
    written = orjson.dumps(np.ascontiguousarray(values), option=orjson.OPT_SERIALIZE_NUMPY)
    text = np.frombuffer(written, np.uint8)[1:].copy()
    ends = np.append(np.flatnonzero(text == _COMMA), len(text) - 1)
    text[ends] = _QUOTE
    whole = (text[ends - 1] == _ZERO) & (text[ends - 2] == _DOT)
    if whole.any():
        kept = np.ones(len(text), np.bool_)
        kept[ends[whole] - 1] = False
        kept[ends[whole] - 2] = False
        text = text[kept]
        ends = ends - 2 * np.cumsum(whole)
    offsets = np.concatenate([np.zeros(1, np.int64), ends + 1])
    return pa.LargeStringArray.from_buffers(len(values), pa.py_buffer(offsets), pa.py_buffer(text))


def _odd(values: NDArray[np.float64]) -> pa.LargeStringArray:
    """Write floats that are very large, very small, or no number; from Arrow's text, which has an exponent then."""
    sizes = np.abs(values)
    texts = pc.cast(pa.array(sizes), TEXT)
    with np.errstate(invalid="ignore"):
        is_exponential = (sizes < _FIXED_FROM) | (sizes >= _FIXED_BELOW)
        is_long = (sizes >= _PLAIN_BELOW) & (sizes < _FIXED_BELOW)
    if is_exponential.any():
        two_digits = pc.replace_substring_regex(texts, r"e-(\d)$", r"e-0\1")
        texts = pc.if_else(pa.array(is_exponential), two_digits, texts)
    if is_long.any():
        texts = pc.if_else(pa.array(is_long), _without_exponent(texts), texts)
    texts = pc.if_else(pa.array(values < 0), _joined("-", texts), texts)
    for found, text in ((np.isnan(values), "NaN"), (values == np.inf, "+Inf"), (values == -np.inf, "-Inf")):
        if found.any():
            texts = pc.if_else(pa.array(found), pa.scalar(text, TEXT), texts)
    return _joined(texts, '"')


def _without_exponent(texts: pa.LargeStringArray) -> pa.LargeStringArray:
    """Write "1.5e+17" as a whole number; such floats have at most 17 digits, so none are behind the point."""
    for exponent in _LONG_EXPONENTS:
        end = f"e+{exponent}"
        digits = pc.replace_substring(pc.utf8_slice_codeunits(texts, 0, -len(end)), ".", "")
        padded = pc.utf8_rpad(digits, exponent + 1, "0")
        texts = pc.if_else(pc.ends_with(texts, end), padded, texts)
    return texts


def time_texts(times_ms: NDArray[np.int64]) -> pa.LargeStringArray:
    """Write times as seconds: ``1435781430``, ``1435781430.781``."""
    sizes = np.abs(times_ms)
    seconds = pc.cast(pa.array(sizes // 1000), TEXT)
    return _joined(
        _SIGNS.take(pa.array((times_ms < 0).astype(np.int8))), seconds, _FRACTIONS.take(pa.array(sizes % 1000))
    )


def time_text(time_ms: int) -> str:
    """Write one time as ``time_texts`` does."""
    seconds, milliseconds = divmod(abs(time_ms), 1000)
    return f"{'-' if time_ms < 0 else ''}{seconds}{f'.{milliseconds:03d}' if milliseconds else ''}"


_SIGNS = pa.array(["", "-"], TEXT)
_FRACTIONS = pa.array(["", *(f".{milliseconds:03d}" for milliseconds in range(1, 1000))], TEXT)


def _joined(*parts: pa.LargeStringArray | str) -> pa.LargeStringArray:
    return join(parts)


def join(parts: tuple[pa.LargeStringArray | str, ...] | list[pa.LargeStringArray | str]) -> pa.LargeStringArray:
    """Put texts together row by row; a plain text stands in every row, and at least one part is a column."""
    return pc.binary_join_element_wise(
        *(pa.scalar(part, TEXT) if isinstance(part, str) else part for part in parts), pa.scalar("", TEXT)
    )
