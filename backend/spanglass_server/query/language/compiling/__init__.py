"""From a syntax tree to SQL."""
