"""Stored records as OTLP's protobuf, a column at a time."""
