"""The written form of alert rules: YAML and JSON, with the place of everything that is wrong."""
