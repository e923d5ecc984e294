"""Service level objectives: what shall be well, how much of it was, and what is left of the error budget."""
