"""Alembic's environment: runs migrations on the connection that `hrnn_tuner.store.migrate` opened."""

from alembic import context

from hrnn_tuner.store.schema import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, compare_type=True)
with context.begin_transaction():
    context.run_migrations()
