"""Templates of titles, descriptions, labels and annotations, in the language of Prometheus' rules: Go's templates."""
