"""Which tellings of an exception are of one that was told before."""
