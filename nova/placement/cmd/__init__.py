"""Command line programs of Placement."""
