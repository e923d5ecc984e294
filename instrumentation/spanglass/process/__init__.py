"""A process's life: forks, green threads, ends."""
