"""Bytes of OTLP, written without protobuf's objects."""
