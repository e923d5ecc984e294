"""The routes about health: checks, components, the whole, and the URLs of heartbeats."""
