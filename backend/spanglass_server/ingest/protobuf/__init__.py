"""The encoding of protobuf: messages as Arrow sees them, large bodies in slices, values without decoding them."""
