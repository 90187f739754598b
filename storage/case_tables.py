"""The tables of cases: people treated, rows made from events, work, messages, rules."""

from __future__ import annotations

import sqlalchemy as sa

from storage.tables import UtcDateTime, metadata

patient = sa.Table(
    "patient",
    metadata,
    sa.Column("patient_id", sa.String(32), primary_key=True),
    sa.Column("identifier", sa.String(20), nullable=False),
    sa.Column("kind", sa.String(12), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("birth_date", sa.Date),
    sa.Column("sex", sa.String(10), nullable=False, server_default=""),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.UniqueConstraint("kind", "identifier"),
)

pathology_case = sa.Table(
    "pathology_case",
    metadata,
    sa.Column("accession", sa.String(40), primary_key=True),
    sa.Column("patient_id", sa.String(32), sa.ForeignKey("patient.patient_id"), index=True),
    sa.Column("site", sa.String(40), nullable=False),
    sa.Column("unit", sa.String(40), nullable=False, index=True),
    sa.Column("state", sa.String(20), nullable=False, index=True),
    sa.Column("assignee", sa.String(80), nullable=False, index=True),
    sa.Column("received_at", UtcDateTime, index=True),
    sa.Column("ended_at", UtcDateTime, index=True),
    sa.Column("milestones", sa.JSON, nullable=False),
    sa.Column("summary", sa.JSON, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
)
"""One row a case, made from its events by `storage.cases` alone."""

case_slide = sa.Table(
    "case_slide",
    metadata,
    sa.Column("barcode", sa.String(64), primary_key=True),
    sa.Column("accession", sa.String(40), nullable=False, index=True),
    sa.Column("state", sa.String(20), nullable=False, index=True),
    sa.Column("expected_at", UtcDateTime, nullable=False, index=True),
    sa.Column("slide_id", sa.String(32)),
    sa.Column("detail", sa.JSON, nullable=False),
)
"""One row an expected glass; a barcode belongs to one case only."""

case_image = sa.Table(
    "case_image",
    metadata,
    sa.Column("slide_id", sa.String(32), primary_key=True),
    sa.Column("barcode", sa.String(64), nullable=False, index=True),
    sa.Column("accession", sa.String(40), nullable=False, index=True),
    sa.Column("state", sa.String(20), nullable=False),
)
"""Which case an image belongs to: what the access decision looks up."""

work_item = sa.Table(
    "work_item",
    metadata,
    sa.Column("item_id", sa.String(32), primary_key=True),
    sa.Column("kind", sa.String(20), nullable=False, index=True),
    sa.Column("state", sa.String(12), nullable=False, index=True),
    sa.Column("site", sa.String(40), nullable=False, server_default=""),
    sa.Column("unit", sa.String(40), nullable=False, server_default=""),
    sa.Column("accession", sa.String(40), index=True),
    sa.Column("barcode", sa.String(64), index=True),
    sa.Column("slide_id", sa.String(32), index=True),
    sa.Column("about", sa.String(64), nullable=False, server_default=""),
    sa.Column("rank", sa.Integer, nullable=False, server_default="0"),
    sa.Column("performer", sa.String(80), nullable=False, server_default=""),
    sa.Column("rack", sa.String(20), nullable=False, server_default=""),
    sa.Column("slot", sa.String(20), nullable=False, server_default=""),
    sa.Column("data", sa.JSON, nullable=False),
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("created_at", UtcDateTime, nullable=False, index=True),
    sa.Column("created_by", sa.String(80), nullable=False),
    sa.Column("due_at", UtcDateTime),
    sa.Column("claimed_at", UtcDateTime),
    sa.Column("ended_at", UtcDateTime),
)
"""The one table of work: scans, laboratory orders, opinions, unknown glasses, reminders."""

outbound = sa.Table(
    "outbound",
    metadata,
    sa.Column("message_id", sa.String(32), primary_key=True),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("destination", sa.String(80), nullable=False),
    sa.Column("accession", sa.String(40), index=True),
    sa.Column("body", sa.JSON, nullable=False),
    sa.Column("state", sa.String(12), nullable=False, index=True),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("next_at", UtcDateTime, nullable=False, index=True),
    sa.Column("sent_at", UtcDateTime),
)
"""The one queue of what leaves: reports, notices, forwarded images."""

policy = sa.Table(
    "policy",
    metadata,
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("effective_from", UtcDateTime, nullable=False),
    sa.Column("document", sa.JSON, nullable=False),
    sa.Column("entered_at", UtcDateTime, nullable=False),
    sa.Column("entered_by", sa.String(80), nullable=False),
)

absence = sa.Table(
    "absence",
    metadata,
    sa.Column("absence_id", sa.String(32), primary_key=True),
    sa.Column("name", sa.String(80), sa.ForeignKey("person.name"), nullable=False, index=True),
    sa.Column("from_at", UtcDateTime, nullable=False),
    sa.Column("until_at", UtcDateTime, nullable=False),
    sa.Column("reason", sa.String(80), nullable=False, server_default=""),
)
