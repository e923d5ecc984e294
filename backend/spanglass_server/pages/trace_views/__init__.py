"""Views of one trace beside its waterfall: flame graph, table of spans, services; and traces compared."""
