"""Small requests that are checked and not decoded: they wait as they came, and are decoded together once asked for.

Decoding costs 0.4 ms a call whatever it holds, and as it makes a column of every field, so does each step over what was
decoded; what has to be known before a request is acknowledged is a few of its fields. The official parser has read all
of it, and where it accepts a body the decoder does too (``tests/backend/ingest/test_checked.py``).
"""

from __future__ import annotations

import logging
from dataclasses import replace
from itertools import accumulate, islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from spanglass_server.ingest.ports import Form, IngestError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.ingest.decoding.decode import Decoded, Decoder
    from spanglass_server.signals import Signal

_LOG = logging.getLogger(__name__)
#: Decoded together at most: 3 ms that hold the interpreter's lock; hostile bytes unfold to 26 times as many. A request
#: of ten spans among many takes 57 us until it is columns, and 88 with a quarter of this.
_TOGETHER_BYTES = 1 << 20


class Checked(NamedTuple):
    """Some bodies of one signal, each with records to keep; see ``Decoded`` for the other fields.

    Most hold one body: an array of one number takes ten times as long as the number, a frozen dataclass five times as
    long as a tuple.
    """

    signal: Signal
    bodies: tuple[bytes, ...]
    kept: tuple[int, ...]  # records of each that are not rejected
    received_ns: tuple[int, ...]
    records: tuple[int, ...]
    size_bytes: int
    decoder: Decoder
    form: Form = Form.OTLP
    first_order: tuple[int, ...] | None = None

    @property
    def row_count(self) -> int:
        """How many records of all bodies are kept."""
        return sum(self.kept)

    def numbered(self, first: int) -> tuple[Checked, int]:
        """The same with the places of its records in the order of arrival, from ``first`` on; how many these are."""
        *starts, end = accumulate(self.records, initial=first)
        return self._replace(first_order=tuple(starts)), end - first


def take_together(parts: Sequence[Decoded | Checked], place: int) -> list[Checked]:
    """The parts from a place on that are only checked, one after the other, as many as are decoded together."""
    taken: list[Checked] = []
    size = 0
    for part in islice(parts, place, None):
        if not isinstance(part, Checked) or (taken and size + part.size_bytes > _TOGETHER_BYTES):
            break
        taken.append(part)
        size += part.size_bytes
    return taken


def one_by_one(part: Decoded | Checked) -> Sequence[Decoded | Checked]:
    """A part for each of its bodies, as far as it can be divided."""
    if not isinstance(part, Checked):
        return [part]
    first_order = part.first_order
    return [
        part._replace(
            bodies=(body,),
            kept=part.kept[place : place + 1],
            received_ns=part.received_ns[place : place + 1],
            records=part.records[place : place + 1],
            size_bytes=len(body),
            first_order=None if first_order is None else first_order[place : place + 1],
        )
        for place, body in enumerate(part.bodies)
    ]


def decoded_together(parts: Sequence[Checked]) -> tuple[list[Decoded], bool]:
    """Checked parts of one signal decoded, with their places in the order of arrival; whether that was all of them.

    What can't be decoded, which would be a defect, is left out and logged.
    """
    bodies = [body for part in parts for body in part.bodies]
    received_ns = [time_ns for part in parts for time_ns in part.received_ns]
    orders = [part.first_order or (0,) * len(part.bodies) for part in parts]
    first_order = np.array([order for several in orders for order in several], np.int64)
    decoded: list[Decoded] = []
    whole = True
    for place, result in enumerate(parts[0].decoder.decode(parts[0].signal, bodies, received_ns)):
        if isinstance(result, IngestError):
            _LOG.error("an acknowledged request can't be decoded and stays in the journal's file: %s", result)
            whole = False
            continue
        decoded += [  # one of all bodies, or of this one where others can't be decoded
            replace(part, first_order=first_order[place : place + len(part.received_ns)]) for part in result[0]
        ]
    return decoded, whole
