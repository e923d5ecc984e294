"""What ``spanglass doctor`` finds out about the environment it runs in."""
