"""Exceptions: their causes, frames and variables as structure, and each occurrence once. docs/app/exceptions.md."""
