"""Alembic runs this; the connection comes from ``Database.migrate``, in whose transaction everything happens."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
context.run_migrations()
