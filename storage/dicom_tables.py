"""The tables of DICOM: UIDs given out, objects received, other nodes, what is reported to us."""

from __future__ import annotations

import sqlalchemy as sa

from storage.tables import UtcDateTime, metadata

dicom_uid = sa.Table(
    "dicom_uid",
    metadata,
    sa.Column("uid", sa.String(64), primary_key=True),
    sa.Column("kind", sa.String(10), nullable=False),
    sa.Column("key", sa.String(64), nullable=False),
    sa.UniqueConstraint("kind", "key"),
)
"""The roots of UIDs that svartid gives: one a slide, one a case; random, so they tell nothing."""

dicom_series = sa.Table(
    "dicom_series",
    metadata,
    sa.Column("series_uid", sa.String(64), primary_key=True),
    sa.Column("study_uid", sa.String(64), nullable=False, index=True),
    sa.Column("modality", sa.String(16), nullable=False),
    sa.Column("number", sa.Integer, nullable=False, server_default="0"),
    sa.Column("description", sa.Text, nullable=False, server_default=""),
    sa.Column("body_part", sa.String(64), nullable=False, server_default=""),
    sa.Column("series_at", UtcDateTime),
    sa.Column("study_description", sa.Text, nullable=False, server_default=""),
    sa.Column("study_at", UtcDateTime, index=True),
    sa.Column("identifier", sa.String(64), nullable=False, index=True),
    sa.Column("patient_name", sa.Text, nullable=False),
    sa.Column("birth_date", sa.Date),
    sa.Column("sex", sa.String(10), nullable=False, server_default=""),
    sa.Column("accession", sa.String(64), nullable=False, index=True),
    sa.Column("state", sa.String(10), nullable=False, index=True),
    sa.Column("is_slide", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("slide_id", sa.String(32), index=True),
    sa.Column("received_from", sa.String(80), nullable=False),
    sa.Column("received_at", UtcDateTime, nullable=False, index=True),
    sa.Column("changed_at", UtcDateTime, nullable=False),
)
"""Series as received; the patient is whoever has that identifier and that name here."""

dicom_object = sa.Table(
    "dicom_object",
    metadata,
    sa.Column("sop_uid", sa.String(64), primary_key=True),
    sa.Column("sop_class", sa.String(64), nullable=False),
    sa.Column("study_uid", sa.String(64), nullable=False, index=True),
    sa.Column(
        "series_uid", sa.String(64), sa.ForeignKey("dicom_series.series_uid"),
        nullable=False, index=True,
    ),
    sa.Column("number", sa.Integer, nullable=False, server_default="0"),
    sa.Column("transfer_syntax", sa.String(64), nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("pixels_at", sa.BigInteger, nullable=False),
    sa.Column("header", sa.Text, nullable=False),
    sa.Column("received_at", UtcDateTime, nullable=False),
    sa.Column("received_from", sa.String(80), nullable=False),
)  # fmt: skip

dicom_quarantine = sa.Table(
    "dicom_quarantine",
    metadata,
    sa.Column("sha256", sa.String(64), primary_key=True),
    sa.Column("reason", sa.String(40), nullable=False),
    sa.Column("sop_uid", sa.String(64), nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("received_at", UtcDateTime, nullable=False),
    sa.Column("received_from", sa.String(80), nullable=False),
)

dicom_peer = sa.Table(
    "dicom_peer",
    metadata,
    sa.Column("name", sa.String(80), sa.ForeignKey("person.name"), primary_key=True),
    sa.Column("ae_title", sa.String(16), nullable=False, unique=True),
    sa.Column("host", sa.String(255), nullable=False, server_default=""),
    sa.Column("port", sa.Integer, nullable=False, server_default="0"),
    sa.Column("tls", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("url", sa.Text, nullable=False, server_default=""),
    sa.Column("may", sa.JSON, nullable=False),
)

forward_rule = sa.Table(
    "forward_rule",
    metadata,
    sa.Column("rule_id", sa.String(32), primary_key=True),
    sa.Column("peer", sa.String(80), sa.ForeignKey("dicom_peer.name"), nullable=False),
    sa.Column("what", sa.JSON, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("created_by", sa.String(80), nullable=False),
)
"""What goes to another node by itself; the queue is `outbound`."""

dicom_step = sa.Table(
    "dicom_step",
    metadata,
    sa.Column("sop_uid", sa.String(64), primary_key=True),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("accession", sa.String(64), nullable=False, server_default="", index=True),
    sa.Column("peer", sa.String(80), nullable=False),
    sa.Column("dataset", sa.JSON, nullable=False),
    sa.Column("started_at", UtcDateTime, nullable=False),
    sa.Column("ended_at", UtcDateTime),
)
"""Performed procedure steps (MPPS) that scanners tell of."""
