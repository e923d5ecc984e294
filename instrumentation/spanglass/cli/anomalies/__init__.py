"""``spanglass anomalies``."""
