"""Performance findings: what makes requests slow and could be mended (docs/performance-findings.md)."""
