"""Bodies of requests to checked records, of every form that is taken."""
