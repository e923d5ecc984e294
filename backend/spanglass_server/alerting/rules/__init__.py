"""Where alert rules come from: how they are written, the files they stand in, and what is tuned of them."""
