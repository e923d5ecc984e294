"""Stack traces as texts, of any language, read into exceptions and frames."""
