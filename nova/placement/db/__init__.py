"""Placement's own database: tables, sessions, migrations."""
