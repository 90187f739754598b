"""Resumable uploads (tus 1.0): finished files go to the inbox of the watch folder."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from tuspyserver import create_tus_router

from storage.records.people import Right
from storage.settings import Settings
from viewers.access import needs, principal_of
from viewers.context import context_of

_DAYS = 2


def create_router(settings: Settings) -> APIRouter:
    """The tus endpoints at /api/v1/uploads."""
    router: APIRouter = create_tus_router(
        prefix="api/v1/uploads",
        files_dir=str(settings.layout.uploads),
        max_size=settings.max_upload_bytes,
        auth=needs(Right.DELIVER_SLIDES).dependency,
        days_to_keep=_DAYS,
        upload_complete_dep=_finished,
        pre_create_dep=_may_begin,
        tags=["uploads"],
    )
    return router


def _may_begin(request: Request) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    layout = context_of(request).settings.layout

    def check(metadata: dict[str, Any], upload: dict[str, Any]) -> None:
        status = os.statvfs(layout.uploads)
        size = int(upload.get("size") or 0)
        if size > status.f_bavail * status.f_frsize:
            raise HTTPException(507, "no space")
        if not str(metadata.get("filename") or metadata.get("name") or "").strip():
            raise HTTPException(400, "a filename is needed in Upload-Metadata")

    return check


def _finished(request: Request) -> Callable[[str, dict[str, Any]], None]:
    layout, who = context_of(request).settings.layout, principal_of(request).name

    def hand_over(path: str, metadata: dict[str, Any]) -> None:
        name = str(metadata.get("filename") or metadata.get("name"))
        safe = "".join(c if c.isprintable() and c not in "/\\" else "_" for c in name).strip(". ")
        folder = layout.uploads / "done" / f"{uuid.uuid4().hex}"
        folder.mkdir(parents=True)
        (folder / ".actor").write_text(who)
        Path(path).rename(folder / (safe[:150] or "unnamed"))

    return hand_over
