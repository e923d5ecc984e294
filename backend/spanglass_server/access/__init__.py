"""Who may ask: tokens."""
