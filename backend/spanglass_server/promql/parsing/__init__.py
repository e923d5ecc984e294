"""From the text of a PromQL expression to its syntax tree."""
