"""Figures of services and operations over a range."""
