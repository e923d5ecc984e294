"""Rows of traces by their ids, without SQL."""
