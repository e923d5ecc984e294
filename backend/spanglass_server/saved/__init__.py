"""What readers keep for themselves and each other: views of pages, and traces that outlive retention."""
