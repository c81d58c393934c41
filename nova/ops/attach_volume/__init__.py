"""Attaching a volume to a server."""
