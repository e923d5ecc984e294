"""Memory leaks: processes whose memory grows and does not come back, told as performance findings."""
