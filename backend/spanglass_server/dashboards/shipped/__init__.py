"""The dashboards that come with the product, in YAML."""
