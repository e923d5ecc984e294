"""Sampling: at a trace's beginning by a ratio, or at its end by what it was; kept spans say what they stand for."""
