"""The language of conditions: reading one, writing it back, what is wrong with one, and what may come next."""
