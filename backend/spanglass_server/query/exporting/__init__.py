"""Whole ranges of records, and answers of SQL, as files."""
