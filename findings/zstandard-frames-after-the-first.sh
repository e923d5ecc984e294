#!/usr/bin/env bash
# zstandard for Python: what comes after the first frame is dropped in silence, by some of its functions.
#
# Guess:    RFC 8878 says that frames one after the other are the concatenation of their contents, and the zstd command
#           does so; decompress() does too, as gzip.decompress() does with members, or it refuses what is left over.
# Instead:  decompress() and read_to_iter() return the first frame and say nothing about the rest. stream_reader(),
#           copy_stream() and open() read all of it. With a skippable frame in front, which decoders are to skip,
#           decompress() raises, while stream_reader() skips it.
# Versions: zstandard 0.25.0; pyarrow 26.0.1 for comparison, which reads all frames.
# Matters:  appending a frame is how logs and journals are compressed piece by piece, and clients may send a body so
#           ("Content-Encoding: zstd"). Half of it is acknowledged and lost. Whether it happens depends on which of the
#           functions was chosen, not on an error anybody sees.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check zstandard==0.25.0 pyarrow==26.0.1

cat > try.py <<'EOF'
import gzip
import io

import pyarrow
import zstandard

compress = zstandard.ZstdCompressor().compress
frames = compress(b"first;") + compress(b"second;")
skippable = b"\x50\x2a\x4d\x18" + (4).to_bytes(4, "little") + b"note"  # RFC 8878, 3.1.2
whole = b"first;second;"


def decoder():
    return zstandard.ZstdDecompressor()


def copied(data):
    """What copy_stream writes."""
    target = io.BytesIO()
    decoder().copy_stream(io.BytesIO(data), target)
    return target.getvalue()


readers = {
    "decompress()": (lambda data: decoder().decompress(data), b"first;"),
    "decompress(), given the size": (lambda data: decoder().decompress(data, max_output_size=100), b"first;"),
    "read_to_iter()": (lambda data: b"".join(decoder().read_to_iter(io.BytesIO(data))), b"first;"),
    "stream_reader()": (lambda data: decoder().stream_reader(io.BytesIO(data)).read(), whole),
    "copy_stream()": (copied, whole),
    "open()": (lambda data: zstandard.open(io.BytesIO(data), "rb").read(), whole),
    "pyarrow.input_stream()": (lambda data: pyarrow.input_stream(io.BytesIO(data), compression="zstd").read(), whole),
}
print(f"zstandard {zstandard.__version__}, two frames:")
for name, (read, right) in readers.items():
    result = read(frames)
    print(f"  {name:30} {result}")
    assert result == right, "reads differently now"
print(f"  {'gzip.decompress(), two members':30} {gzip.decompress(gzip.compress(b'first;') + gzip.compress(b'second;'))}")

assert readers["stream_reader()"][0](skippable + frames) == whole
try:
    print("  with a skippable frame in front", decoder().decompress(skippable + frames))
except zstandard.ZstdError as error:
    print("  decompress() with a skippable frame in front:", error)
else:
    raise AssertionError("skippable frames are skipped now")
EOF
venv/bin/python try.py
echo "As described."
