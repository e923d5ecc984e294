"""What is different: spans that somebody selects beside others, by all of their attributes."""
