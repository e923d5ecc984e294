"""The Spanglass server: OTLP in, columns on disk, answers and pages out."""
