"""Resizing a server, or migrating it cold; and whether that is kept or taken back."""
