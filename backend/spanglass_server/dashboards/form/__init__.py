"""The written form of dashboards: YAML and JSON, with the place of everything that is wrong."""
