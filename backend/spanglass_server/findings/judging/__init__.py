"""What is told by figures kept over hours: operations that became slower, and time that grows with a number."""
