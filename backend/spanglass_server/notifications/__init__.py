"""Who hears of an alert, over which channel, when, and what became of each message."""
