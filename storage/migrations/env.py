"""Alembic's entry: runs on the connection `Database.migrate` hands in."""

from alembic import context

from storage import (  # noqa: F401 - put their tables into the metadata
    annotation_tables,
    case_tables,
    dicom_tables,
    drift_tables,
    model_tables,
    quality_tables,
    ups_tables,
)
from storage.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
