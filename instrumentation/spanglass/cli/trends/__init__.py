"""Commands about where measures are going."""
