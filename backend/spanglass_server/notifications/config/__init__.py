"""What is configured of notifications: in the settings file, and in pages, where it is kept with its versions."""
