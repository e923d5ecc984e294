"""What figures mean: thresholds, trends, queries that cost too much, and what to do about it."""

from __future__ import annotations

__all__: list[str] = []
