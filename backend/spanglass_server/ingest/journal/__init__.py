"""The journal, from the request that is appended to the generation that is in segments, and the start after a crash."""
