"""OTLP/JSON to protobuf bytes."""
