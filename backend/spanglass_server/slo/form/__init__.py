"""How objectives are written: their keys, YAML and JSON to objectives and back."""
