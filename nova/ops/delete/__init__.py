"""Deleting servers, for good or for later, and restoring them."""
