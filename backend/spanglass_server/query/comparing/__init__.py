"""Bad records beside good ones, and a stretch of time beside the one before it."""
