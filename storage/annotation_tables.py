"""The tables of annotations: single ones as their events have made them, bulk ones in blocks."""

from __future__ import annotations

import sqlalchemy as sa

from storage.tables import UtcDateTime, metadata

annotation = sa.Table(
    "annotation",
    metadata,
    sa.Column("annotation_id", sa.String(32), primary_key=True),
    sa.Column("slide_id", sa.String(32), nullable=False, index=True),
    sa.Column("state", sa.JSON, nullable=False),
    sa.Column("removed", sa.Boolean, nullable=False),
    sa.Column("first_event", sa.BigInteger, nullable=False),
    sa.Column("last_event", sa.BigInteger, nullable=False),
)
"""Made from the events `annotation:ID`, and can be made again."""

annotation_group = sa.Table(
    "annotation_group",
    metadata,
    sa.Column("group_id", sa.String(32), primary_key=True),
    sa.Column("slide_id", sa.String(32), nullable=False, index=True),
    sa.Column("about", sa.JSON, nullable=False),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("removed", sa.Boolean, nullable=False),
    sa.Column("first_event", sa.BigInteger, nullable=False),
    sa.Column("last_event", sa.BigInteger, nullable=False),
)
"""Many at once, from a file or an algorithm; what they are is in their blocks, once and for all."""

annotation_block = sa.Table(
    "annotation_block",
    metadata,
    sa.Column(
        "group_id", sa.String(32), sa.ForeignKey("annotation_group.group_id"), primary_key=True
    ),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("x0", sa.Float, nullable=False),
    sa.Column("y0", sa.Float, nullable=False),
    sa.Column("x1", sa.Float, nullable=False),
    sa.Column("y1", sa.Float, nullable=False),
    sa.Column("places", sa.LargeBinary, nullable=False),
    sa.Column("data", sa.LargeBinary, nullable=False),
)
"""Some hundred neighbours: their middles as pairs of little-endian floats, and all of them."""

annotation_source = sa.Table(
    "annotation_source",
    metadata,
    sa.Column("sop_uid", sa.String(64), primary_key=True),
    sa.Column("series_uid", sa.String(64), nullable=False, server_default="", index=True),
    sa.Column("slide_id", sa.String(32), index=True),
    sa.Column("reason", sa.String(40), nullable=False, server_default=""),
    sa.Column("count", sa.Integer, nullable=False, server_default="0"),
    sa.Column("at", UtcDateTime, nullable=False),
)
"""DICOM objects with annotations: of which series they are, and the slide they were imported to.

Without a slide they wait for it; with a reason they cannot be read.
"""
