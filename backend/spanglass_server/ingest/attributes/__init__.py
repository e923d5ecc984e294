"""Attribute lists become columns, one for each key and type, within limits; what is past them overflows."""
