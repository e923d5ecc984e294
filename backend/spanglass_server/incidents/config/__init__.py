"""When incidents are opened, and how they go on: what a settings file says."""
