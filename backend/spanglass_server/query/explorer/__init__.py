"""What there is of metrics: the catalog, the course of each, their attributes' cardinality, their exemplars."""
