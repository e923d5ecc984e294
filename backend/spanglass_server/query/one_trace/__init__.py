"""One trace: its spans, tree, failures."""
