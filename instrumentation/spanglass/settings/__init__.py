"""An application's settings."""
