"""The Spanglass server: OTLP in, columns on disk, answers and pages out.

PYTEST_DONT_REWRITE: there are no assertions here, and pytest may be started with this imported.
"""

import os

# Arrow's C++ code, that of Parquet for one, takes memory of a default pool of its own, which is chosen when Arrow is
# loaded: 20 to 40 MB stayed in it under a demo's load. See ``process.tuning``.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
