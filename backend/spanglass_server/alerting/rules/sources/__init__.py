"""The files that rules stand in, those made in pages, and what is tuned of rules."""
