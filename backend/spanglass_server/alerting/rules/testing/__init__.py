"""Unit tests of rules: series in, alerts out at given times, in the format of ``promtool test rules``."""
