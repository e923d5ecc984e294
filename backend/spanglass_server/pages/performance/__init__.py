"""Pages about where time goes: durations over time, what is different."""
