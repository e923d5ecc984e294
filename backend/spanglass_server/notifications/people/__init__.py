"""People, when they are told, who is on call, and what happens when nobody answers: pure functions over the time."""
