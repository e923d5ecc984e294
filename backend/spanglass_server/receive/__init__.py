"""OTLP over HTTP and gRPC: content types, compression, limits, Status errors, and OTLP/JSON turned into protobuf."""
