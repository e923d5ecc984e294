"""Alert rules that come with the server, a YAML file a subject."""
