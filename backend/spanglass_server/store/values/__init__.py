"""Which values the attributes of a segment have, so that a search for one opens only segments that may have it."""
