"""Evaluation of PromQL expressions: all series at all steps at once."""
