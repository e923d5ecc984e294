"""The tree of a trace in arrays: what ``spanglass_core.traces.trace_tree`` says, of a hundred thousand spans."""
