"""What is told of series besides their samples."""
