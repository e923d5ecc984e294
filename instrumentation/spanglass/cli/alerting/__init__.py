"""Commands about alert rules and alerts."""
