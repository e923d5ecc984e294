"""Spanglass on the application's side. Importing it costs an application nothing but the standard library."""
