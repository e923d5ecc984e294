"""The routes about alerts, the rules that raise them, and thresholds."""
