"""Alembic revisions: ``expand`` adds and is safe under running services, ``contract`` removes after them."""
