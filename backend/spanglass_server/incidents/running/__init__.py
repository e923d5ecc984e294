"""What is done again and again: alerts into incidents, releases into timelines, announcements."""
