"""dicom"""

import uuid

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Forward; the slides and cases that are there get the roots of their UIDs."""
    op.create_table(
        "dicom_quarantine",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("sop_uid", sa.String(length=64), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_from", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("sha256"),
    )
    op.create_table(
        "dicom_series",
        sa.Column("series_uid", sa.String(length=64), nullable=False),
        sa.Column("study_uid", sa.String(length=64), nullable=False),
        sa.Column("modality", sa.String(length=16), nullable=False),
        sa.Column("number", sa.Integer(), server_default="0", nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("body_part", sa.String(length=64), server_default="", nullable=False),
        sa.Column("series_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("study_description", sa.Text(), server_default="", nullable=False),
        sa.Column("study_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("identifier", sa.String(length=64), nullable=False),
        sa.Column("patient_name", sa.Text(), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("sex", sa.String(length=10), server_default="", nullable=False),
        sa.Column("accession", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("is_slide", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("slide_id", sa.String(length=32), nullable=True),
        sa.Column("received_from", sa.String(length=80), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("series_uid"),
    )
    op.create_index(op.f("ix_dicom_series_accession"), "dicom_series", ["accession"], unique=False)
    op.create_index(
        op.f("ix_dicom_series_identifier"), "dicom_series", ["identifier"], unique=False
    )
    op.create_index(
        op.f("ix_dicom_series_received_at"), "dicom_series", ["received_at"], unique=False
    )
    op.create_index(op.f("ix_dicom_series_slide_id"), "dicom_series", ["slide_id"], unique=False)
    op.create_index(op.f("ix_dicom_series_state"), "dicom_series", ["state"], unique=False)
    op.create_index(op.f("ix_dicom_series_study_at"), "dicom_series", ["study_at"], unique=False)
    op.create_index(op.f("ix_dicom_series_study_uid"), "dicom_series", ["study_uid"], unique=False)
    op.create_table(
        "dicom_step",
        sa.Column("sop_uid", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("accession", sa.String(length=64), server_default="", nullable=False),
        sa.Column("peer", sa.String(length=80), nullable=False),
        sa.Column("dataset", sa.JSON(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("sop_uid"),
    )
    op.create_index(op.f("ix_dicom_step_accession"), "dicom_step", ["accession"], unique=False)
    op.create_table(
        "dicom_uid",
        sa.Column("uid", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("uid"),
        sa.UniqueConstraint("kind", "key"),
    )
    op.create_table(
        "dicom_object",
        sa.Column("sop_uid", sa.String(length=64), nullable=False),
        sa.Column("sop_class", sa.String(length=64), nullable=False),
        sa.Column("study_uid", sa.String(length=64), nullable=False),
        sa.Column("series_uid", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), server_default="0", nullable=False),
        sa.Column("transfer_syntax", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("pixels_at", sa.BigInteger(), nullable=False),
        sa.Column("header", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_from", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["series_uid"],
            ["dicom_series.series_uid"],
        ),
        sa.PrimaryKeyConstraint("sop_uid"),
    )
    op.create_index(
        op.f("ix_dicom_object_series_uid"), "dicom_object", ["series_uid"], unique=False
    )
    op.create_index(op.f("ix_dicom_object_study_uid"), "dicom_object", ["study_uid"], unique=False)
    op.create_table(
        "dicom_peer",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("ae_title", sa.String(length=16), nullable=False),
        sa.Column("host", sa.String(length=255), server_default="", nullable=False),
        sa.Column("port", sa.Integer(), server_default="0", nullable=False),
        sa.Column("tls", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("url", sa.Text(), server_default="", nullable=False),
        sa.Column("may", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["name"],
            ["person.name"],
        ),
        sa.PrimaryKeyConstraint("name"),
        sa.UniqueConstraint("ae_title"),
    )
    op.create_table(
        "forward_rule",
        sa.Column("rule_id", sa.String(length=32), nullable=False),
        sa.Column("peer", sa.String(length=80), nullable=False),
        sa.Column("what", sa.JSON(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["peer"],
            ["dicom_peer.name"],
        ),
        sa.PrimaryKeyConstraint("rule_id"),
    )
    _give_roots("slide", "slide", "slide_id")
    _give_roots("case", "pathology_case", "accession")


def _give_roots(kind: str, table: str, column: str) -> None:
    connection = op.get_bind()
    query = sa.select(sa.column(column, sa.String)).select_from(sa.table(table))
    keys = connection.execute(query).scalars()
    rows = [{"uid": f"2.25.{uuid.uuid4().int}", "kind": kind, "key": key} for key in keys]
    if rows:
        root = sa.table("dicom_uid", sa.column("uid"), sa.column("kind"), sa.column("key"))
        op.bulk_insert(root, rows)


def downgrade() -> None:
    """Back; received objects stay in the folder `dicom`."""
    op.drop_table("forward_rule")
    op.drop_table("dicom_peer")
    op.drop_index(op.f("ix_dicom_object_study_uid"), table_name="dicom_object")
    op.drop_index(op.f("ix_dicom_object_series_uid"), table_name="dicom_object")
    op.drop_table("dicom_object")
    op.drop_table("dicom_uid")
    op.drop_index(op.f("ix_dicom_step_accession"), table_name="dicom_step")
    op.drop_table("dicom_step")
    op.drop_index(op.f("ix_dicom_series_study_uid"), table_name="dicom_series")
    op.drop_index(op.f("ix_dicom_series_study_at"), table_name="dicom_series")
    op.drop_index(op.f("ix_dicom_series_state"), table_name="dicom_series")
    op.drop_index(op.f("ix_dicom_series_slide_id"), table_name="dicom_series")
    op.drop_index(op.f("ix_dicom_series_received_at"), table_name="dicom_series")
    op.drop_index(op.f("ix_dicom_series_identifier"), table_name="dicom_series")
    op.drop_index(op.f("ix_dicom_series_accession"), table_name="dicom_series")
    op.drop_table("dicom_series")
    op.drop_table("dicom_quarantine")
