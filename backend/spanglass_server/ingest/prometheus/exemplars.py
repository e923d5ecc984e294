"""Labels of exemplars: ids of traces and spans are told from the others by name and shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spanglass_server.ingest.attributes.owners import Owners
from spanglass_server.ingest.records.checks import SPAN_ID_BYTES, TRACE_ID_BYTES

if TYPE_CHECKING:
    from spanglass_server.ingest.attributes.shredder import AttributeShredder
    from spanglass_server.ingest.columnar import Flat
    from spanglass_server.ingest.prometheus.labels import Labels

#: As Prometheus names them where it takes OTLP. Anything else, capitals and zeros too, stays a label.
_IDS: Final = {"trace_id": TRACE_ID_BYTES, "span_id": SPAN_ID_BYTES}


def exemplar_columns(labels: Labels, each: Flat, shredder: AttributeShredder) -> dict[str, Any]:
    """Columns of the labels of exemplars, one exemplar a row; ``each`` says that it is the row's only one."""
    columns: dict[str, Any] = {}
    ids = []
    for name, length in _IDS.items():
        places = labels.places(name)
        found = np.flatnonzero(places >= 0)
        texts = labels.values.take(pa.array(places[found]))
        is_id = pc.match_substring_regex(texts, f"^[0-9a-f]{{{2 * length}}}$").to_numpy(zero_copy_only=False)
        is_id &= ~pc.match_substring_regex(texts, "^0+$").to_numpy(zero_copy_only=False)
        found, texts = found[is_id], texts.filter(pa.array(is_id))
        if not len(found):
            continue
        row_of = np.full(labels.size, -1, np.int64)
        row_of[found] = np.arange(len(found))
        columns[f"exemplar_{name}"] = _from_hex(texts, length).take(pa.array(row_of, mask=row_of < 0))
        ids.append(places[found])
    rest = labels.without(np.concatenate(ids)) if ids else labels
    return {**columns, **rest.shred("exemplar", shredder, Owners.items(each))}


def _from_hex(texts: Any, length: int) -> Any:
    """Ids written in small hexadecimal digits, as bytes."""
    joined = pc.binary_join(pa.ListArray.from_arrays([0, len(texts)], texts), "")[0].as_py()
    starts = np.arange(len(texts) + 1, dtype=np.int32) * length
    content = pa.py_buffer(bytes.fromhex(joined))
    return pa.Array.from_buffers(pa.binary(), len(texts), [None, pa.py_buffer(starts), content])
