"""A sampling profiler: which functions threads are in, and for which span. docs/app/profiler.md says what is sent."""
