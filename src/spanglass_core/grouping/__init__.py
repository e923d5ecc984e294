"""Which exceptions are one issue: versioned fingerprints, and the rules that change them."""
