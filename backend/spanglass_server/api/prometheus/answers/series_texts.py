"""Series with samples as the JSON of ``result``: text is put together by Arrow, in runs of whole series."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import orjson
import pyarrow as pa

from spanglass_server.api.prometheus.answers.histogram_texts import histogram_texts
from spanglass_server.api.prometheus.answers.label_texts import FEW, label_texts
from spanglass_server.api.prometheus.answers.numbers import TEXT, closed_floats, join, time_text, time_texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from spanglass_server.api.prometheus.answers.flat import Flat

#: Matrices of so many runs, and more, are written by several threads.
_MANY_RUNS = 4
_THREADS = 2


def vector_json(flat: Flat) -> Iterator[bytes]:
    """Write an instant vector, in parts: each series has one sample."""
    if flat.labels.size <= FEW and flat.histogram is None:
        yield _few_instants(flat)
    else:
        yield from _list(_instants(run) for run in flat.runs())


def _few_instants(flat: Flat) -> bytes:
    times = [orjson.Fragment(time_text(time_ms)) for time_ms in flat.times_ms[flat.step].tolist()]
    values = [text.removesuffix('"') for text in closed_floats(flat.value).to_pylist()]
    samples = zip(flat.labels.rows(), times, values, strict=True)
    return orjson.dumps([{"metric": labels, "value": [time, value]} for labels, time, value in samples])


def _instants(run: Flat) -> bytes:
    heads, times = label_texts(run.labels), time_texts(run.times_ms[run.step])
    if run.histogram is None or run.histograms is None:
        closed = closed_floats(run.value)
        return _bytes(join(('{"metric":', heads, ',"value":[', times, ',"', closed, "]},")))[:-1]
    is_float = run.histogram < 0
    bodies = join(('"', closed_floats(run.value)))
    placed = np.where(is_float, -1, run.histogram)
    bodies = _chosen(is_float, bodies, histogram_texts(run.histograms, placed[~is_float]))
    keys = pa.array([',"value":[', ',"histogram":['], TEXT).take(pa.array((~is_float).astype(np.int8)))
    return _bytes(join(('{"metric":', heads, keys, times, ",", bodies, "]},")))[:-1]


def _chosen(first: NDArray[np.bool_], texts: pa.LargeStringArray, others: pa.LargeStringArray) -> pa.LargeStringArray:
    """The rows of ``texts`` where ``first`` holds, elsewhere ``others``, one after another."""
    places = np.arange(len(first))
    places[~first] = len(first) + np.arange(len(others))
    return pa.concat_arrays([texts, others]).take(pa.array(places))


def matrix_json(flat: Flat) -> Iterator[bytes]:
    """Write a matrix, in parts."""
    write = _ranges if flat.histogram is None else _mixed_ranges
    runs = list(flat.runs())
    if len(runs) < _MANY_RUNS:
        yield from _list(map(write, runs))
        return
    # Arrow and NumPy, which do three quarters of the work, let other threads run meanwhile
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="json") as threads:
        yield from _list(threads.map(write, runs))


def _list(parts: Iterable[bytes]) -> Iterator[bytes]:
    """A list whose items come in parts, which are not put together: a copy of 90 MB takes 50 ms."""
    before = b"["
    for part in parts:
        yield before
        yield part
        before = b","
    yield b"]" if before == b"," else b"[]"


def _ranges(run: Flat) -> bytes:
    """Write series of floats: before each sample stands its time, and before a series' first one its head as well."""
    # a whole range has few times, a matrix selector one for each sample
    times = time_texts(run.times_ms)
    heads = join((']]},{"metric":', label_texts(run.labels), ',"values":[['))
    firsts = join((heads, times.take(pa.array(run.step[run.offsets[:-1]])), ',"'))
    before = pa.concat_arrays([join(("],[", times, ',"')), firsts])
    places = run.step.copy()
    places[run.offsets[:-1]] = len(times) + np.arange(run.labels.size)
    return _bytes(join((before.take(pa.array(places)), closed_floats(run.value))))[len("]]},") :] + b"]]}"


def _mixed_ranges(run: Flat) -> bytes:
    """Write series that may have floats and histograms."""
    assert run.histogram is not None  # noqa: S101 - chosen by the caller
    assert run.histograms is not None  # noqa: S101
    is_float = run.histogram < 0
    times = time_texts(run.times_ms)
    floats, others = run.only(is_float), run.only(~is_float)
    assert others.histogram is not None  # noqa: S101
    float_texts = join(("[", times.take(pa.array(floats.step)), ',"', closed_floats(floats.value), "],"))
    bodies = histogram_texts(run.histograms, others.histogram)
    histograms = join(("[", times.take(pa.array(others.step)), ",", bodies, "],"))
    parts = []
    heads = label_texts(run.labels).to_pylist()
    for head, values, buckets in zip(
        heads, _by_series(float_texts, floats.offsets), _by_series(histograms, others.offsets), strict=True
    ):
        members = [f'"metric":{head}'.encode()]
        members += [b'"values":[' + values[:-1] + b"]"] if values else []
        members += [b'"histograms":[' + buckets[:-1] + b"]"] if buckets else []
        parts.append(b"{" + b",".join(members) + b"}")
    return b",".join(parts)


def _by_series(texts: pa.LargeStringArray, offsets: NDArray[np.int64]) -> list[bytes]:
    """The texts of each series, one after another."""
    if not len(texts):
        return [b""] * (len(offsets) - 1)
    whole = _bytes(texts)
    ends = np.frombuffer(texts.buffers()[1], np.int64)[texts.offset : texts.offset + len(texts) + 1]
    places = (ends[offsets] - ends[0]).tolist()
    return [whole[begin:end] for begin, end in itertools.pairwise(places)]


def _bytes(texts: pa.LargeStringArray) -> bytes:
    """All texts of a column in one; Arrow keeps them so."""
    _, offsets, data = texts.buffers()
    ends = np.frombuffer(offsets, np.int64)
    begin, end = int(ends[texts.offset]), int(ends[texts.offset + len(texts)])
    return data.slice(begin, end - begin).to_pybytes() if end > begin else b""
