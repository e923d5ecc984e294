"""What the alerter watches of itself: whether anything comes in, ticks, failures, rules without data."""
