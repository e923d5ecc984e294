"""Profiles: stacks that the profiler of applications sends as log records, by service, operation, trace and span."""
