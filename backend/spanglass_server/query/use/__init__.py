"""Users and use: who was active, in which sessions, what they did and met, told by ids on spans and log records."""
