"""Allocation candidates: the search over an in-memory picture of every provider."""
