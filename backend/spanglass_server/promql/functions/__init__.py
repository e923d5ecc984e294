"""The functions of PromQL."""
