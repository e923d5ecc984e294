"""The points of one part of what is stored, decoded to samples."""
