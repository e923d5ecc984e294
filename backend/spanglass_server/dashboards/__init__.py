"""Dashboards: what they are, their YAML, where they are kept, and the data of their panels."""
