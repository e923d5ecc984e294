"""Scraping: targets named in the settings file are asked for their metrics, which go the way of remote write."""
