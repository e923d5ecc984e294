"""What is usual of a quantity at a time, and how far it usually is from that."""
