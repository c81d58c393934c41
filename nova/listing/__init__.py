"""Lists over all cells as one ordered stream."""
