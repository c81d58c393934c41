"""Alembic's entry: runs the revisions on the connection that `nova.db.migrate` hands over."""

from alembic import context

context.configure(
    connection=context.config.attributes['connection'],
    target_metadata=context.config.attributes['metadata'],
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
