"""What sets some records apart from others: shares of values in both groups, and their ranking."""
