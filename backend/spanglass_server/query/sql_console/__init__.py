"""SQL of readers: the views, the guard, running a statement."""
