"""What shows that all of it holds."""
