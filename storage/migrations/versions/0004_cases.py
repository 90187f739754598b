"""cases: people treated, cases, glasses, work, messages, rules"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "case_image",
        sa.Column("slide_id", sa.String(length=32), nullable=False),
        sa.Column("barcode", sa.String(length=64), nullable=False),
        sa.Column("accession", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("slide_id"),
    )
    with op.batch_alter_table("case_image", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_case_image_accession"), ["accession"], unique=False)
        batch_op.create_index(batch_op.f("ix_case_image_barcode"), ["barcode"], unique=False)

    op.create_table(
        "case_slide",
        sa.Column("barcode", sa.String(length=64), nullable=False),
        sa.Column("accession", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("expected_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("slide_id", sa.String(length=32), nullable=True),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("barcode"),
    )
    with op.batch_alter_table("case_slide", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_case_slide_accession"), ["accession"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_case_slide_expected_at"), ["expected_at"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_case_slide_state"), ["state"], unique=False)

    op.create_table(
        "outbound",
        sa.Column("message_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("destination", sa.String(length=80), nullable=False),
        sa.Column("accession", sa.String(length=40), nullable=True),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("message_id"),
    )
    with op.batch_alter_table("outbound", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_outbound_accession"), ["accession"], unique=False)
        batch_op.create_index(batch_op.f("ix_outbound_next_at"), ["next_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_outbound_state"), ["state"], unique=False)

    op.create_table(
        "patient",
        sa.Column("patient_id", sa.String(length=32), nullable=False),
        sa.Column("identifier", sa.String(length=20), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("sex", sa.String(length=10), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("patient_id"),
        sa.UniqueConstraint("kind", "identifier"),
    )
    op.create_table(
        "policy",
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("effective_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entered_by", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("version"),
    )
    op.create_table(
        "work_item",
        sa.Column("item_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("site", sa.String(length=40), server_default="", nullable=False),
        sa.Column("unit", sa.String(length=40), server_default="", nullable=False),
        sa.Column("accession", sa.String(length=40), nullable=True),
        sa.Column("barcode", sa.String(length=64), nullable=True),
        sa.Column("slide_id", sa.String(length=32), nullable=True),
        sa.Column("about", sa.String(length=64), server_default="", nullable=False),
        sa.Column("rank", sa.Integer(), server_default="0", nullable=False),
        sa.Column("performer", sa.String(length=80), server_default="", nullable=False),
        sa.Column("rack", sa.String(length=20), server_default="", nullable=False),
        sa.Column("slot", sa.String(length=20), server_default="", nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("item_id"),
    )
    with op.batch_alter_table("work_item", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_work_item_accession"), ["accession"], unique=False)
        batch_op.create_index(batch_op.f("ix_work_item_barcode"), ["barcode"], unique=False)
        batch_op.create_index(batch_op.f("ix_work_item_created_at"), ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_work_item_kind"), ["kind"], unique=False)
        batch_op.create_index(batch_op.f("ix_work_item_slide_id"), ["slide_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_work_item_state"), ["state"], unique=False)

    op.create_table(
        "absence",
        sa.Column("absence_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(length=80), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["name"],
            ["person.name"],
        ),
        sa.PrimaryKeyConstraint("absence_id"),
    )
    with op.batch_alter_table("absence", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_absence_name"), ["name"], unique=False)

    op.create_table(
        "pathology_case",
        sa.Column("accession", sa.String(length=40), nullable=False),
        sa.Column("patient_id", sa.String(length=32), nullable=True),
        sa.Column("site", sa.String(length=40), nullable=False),
        sa.Column("unit", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("assignee", sa.String(length=80), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("milestones", sa.JSON(), nullable=False),
        sa.Column("summary", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["patient_id"],
            ["patient.patient_id"],
        ),
        sa.PrimaryKeyConstraint("accession"),
    )
    with op.batch_alter_table("pathology_case", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_pathology_case_assignee"), ["assignee"], unique=False)
        batch_op.create_index(batch_op.f("ix_pathology_case_ended_at"), ["ended_at"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_pathology_case_patient_id"), ["patient_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_pathology_case_received_at"), ["received_at"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_pathology_case_state"), ["state"], unique=False)
        batch_op.create_index(batch_op.f("ix_pathology_case_unit"), ["unit"], unique=False)

    with op.batch_alter_table("access_log", schema=None) as batch_op:
        batch_op.add_column(sa.Column("accession", sa.String(length=40), nullable=True))
        batch_op.add_column(sa.Column("patient_id", sa.String(length=32), nullable=True))
        batch_op.add_column(
            sa.Column("purpose", sa.String(length=20), server_default="treatment", nullable=False)
        )
        batch_op.add_column(
            sa.Column("basis", sa.String(length=20), server_default="role", nullable=False)
        )
        batch_op.create_index(batch_op.f("ix_access_log_accession"), ["accession"], unique=False)
        batch_op.create_index(batch_op.f("ix_access_log_patient_id"), ["patient_id"], unique=False)

    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.add_column(sa.Column("key", sa.String(length=120), nullable=True))
        batch_op.create_index(batch_op.f("ix_event_key"), ["key"], unique=True)

    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.add_column(sa.Column("full_name", sa.Text(), server_default="", nullable=False))
        batch_op.add_column(
            sa.Column("site", sa.String(length=40), server_default="", nullable=False)
        )
        batch_op.add_column(
            sa.Column("unit", sa.String(length=40), server_default="", nullable=False)
        )
        batch_op.add_column(
            sa.Column("subspecialties", sa.JSON(), server_default="[]", nullable=False)
        )
        batch_op.add_column(sa.Column("languages", sa.JSON(), server_default="[]", nullable=False))
        batch_op.create_index(batch_op.f("ix_person_unit"), ["unit"], unique=False)


def downgrade() -> None:
    """Back; all about cases is lost but their events."""
    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_person_unit"))
        batch_op.drop_column("languages")
        batch_op.drop_column("subspecialties")
        batch_op.drop_column("unit")
        batch_op.drop_column("site")
        batch_op.drop_column("full_name")

    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_event_key"))
        batch_op.drop_column("key")

    with op.batch_alter_table("access_log", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_access_log_patient_id"))
        batch_op.drop_index(batch_op.f("ix_access_log_accession"))
        batch_op.drop_column("basis")
        batch_op.drop_column("purpose")
        batch_op.drop_column("patient_id")
        batch_op.drop_column("accession")

    with op.batch_alter_table("pathology_case", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_pathology_case_unit"))
        batch_op.drop_index(batch_op.f("ix_pathology_case_state"))
        batch_op.drop_index(batch_op.f("ix_pathology_case_received_at"))
        batch_op.drop_index(batch_op.f("ix_pathology_case_patient_id"))
        batch_op.drop_index(batch_op.f("ix_pathology_case_ended_at"))
        batch_op.drop_index(batch_op.f("ix_pathology_case_assignee"))

    op.drop_table("pathology_case")
    with op.batch_alter_table("absence", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_absence_name"))

    op.drop_table("absence")
    with op.batch_alter_table("work_item", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_work_item_state"))
        batch_op.drop_index(batch_op.f("ix_work_item_slide_id"))
        batch_op.drop_index(batch_op.f("ix_work_item_kind"))
        batch_op.drop_index(batch_op.f("ix_work_item_created_at"))
        batch_op.drop_index(batch_op.f("ix_work_item_barcode"))
        batch_op.drop_index(batch_op.f("ix_work_item_accession"))

    op.drop_table("work_item")
    op.drop_table("policy")
    op.drop_table("patient")
    with op.batch_alter_table("outbound", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_outbound_state"))
        batch_op.drop_index(batch_op.f("ix_outbound_next_at"))
        batch_op.drop_index(batch_op.f("ix_outbound_accession"))

    op.drop_table("outbound")
    with op.batch_alter_table("case_slide", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_case_slide_state"))
        batch_op.drop_index(batch_op.f("ix_case_slide_expected_at"))
        batch_op.drop_index(batch_op.f("ix_case_slide_accession"))

    op.drop_table("case_slide")
    with op.batch_alter_table("case_image", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_case_image_barcode"))
        batch_op.drop_index(batch_op.f("ix_case_image_accession"))

    op.drop_table("case_image")
