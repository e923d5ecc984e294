"""Commands about who hears of alerts."""
