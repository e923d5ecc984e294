"""The data of panels: variables put in, queries evaluated, series on one grid of times."""
