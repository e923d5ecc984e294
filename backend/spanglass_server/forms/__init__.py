"""Written forms, YAML and JSON: values with their places, dataclasses out of them, files that are read again."""
