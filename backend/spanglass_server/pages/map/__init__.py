"""The page of the service map."""
