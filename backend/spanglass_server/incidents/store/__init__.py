"""Where incidents are kept."""
