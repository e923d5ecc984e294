"""Servers of gRPC, and clients of brokers and search engines."""
