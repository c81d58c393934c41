"""Alembic's entry: runs the revisions on the connection that `session` hands over."""

from alembic import context

from nova.placement.db import models

context.configure(
    connection=context.config.attributes['connection'],
    target_metadata=models.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
