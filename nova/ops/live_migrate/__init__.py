"""Migrating servers while they run."""
