"""From stored spans to patterns that cost time: reading a stretch of spans, and the detectors."""
