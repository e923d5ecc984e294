"""What rules say: conditions as PromQL, evaluated at one time or at many, with levels, recovery and keys."""
