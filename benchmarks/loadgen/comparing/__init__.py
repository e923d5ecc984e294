"""Two builds beside each other: how they come to be, what their figures are held against, whether they answer alike."""
