"""Routes about issues, releases and the rules of grouping."""
