"""Other views of traces than their spans: folded by path, compared, and what a span means."""
