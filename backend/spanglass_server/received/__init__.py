"""How many bytes senders sent, kept for costs."""
