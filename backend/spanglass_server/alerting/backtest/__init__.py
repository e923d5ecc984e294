"""Rules tried on what is stored: when they would have fired, and which thresholds would have been quieter."""
