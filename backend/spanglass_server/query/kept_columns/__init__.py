"""Plain comparisons and groups of spans over columns that are kept in memory, without SQL."""
