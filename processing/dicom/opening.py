"""From a series of the catalogue to its instances, made on the fly or stored as received."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Protocol

from processing.dicom.instance import Instance
from processing.dicom.pictures import VirtualPicture
from processing.dicom.stored import StoredInstance
from processing.dicom.virtual import VirtualLevel
from storage.dicom_files import object_path
from storage.errors import NotFound
from storage.layout import Layout
from storage.records.imaging import ASSOCIATED, SeriesEntry, StoredObject
from storage.records.uids import associated_uid, parse_instance
from storage.tiles import TileStore

_MOST = 4096
"""Instances remembered: what is costly of one is found once, its geometry and frame places."""
_Key = tuple[str, SeriesEntry, int]


class ObjectIndex(Protocol):
    """What is asked of the index of received objects."""

    def of_series(self, series_uid: str) -> list[StoredObject]:
        """The objects of a series by their number."""

    def get(self, sop_uid: str) -> StoredObject:
        """One object. Errors: NotFound."""


class Opener:
    """Opens instances; one per process, thread-safe."""

    def __init__(self, tiles: TileStore, layout: Layout, objects: ObjectIndex) -> None:
        self._tiles, self._layout, self._objects = tiles, layout, objects
        self._known: OrderedDict[_Key, Instance] = OrderedDict()
        self._lock = threading.Lock()

    def instances(self, entry: SeriesEntry) -> list[Instance]:
        """All instances of a series: levels, the largest first, then what stands beside them."""
        if entry.received:
            return [
                self._stored(entry, found) for found in self._objects.of_series(entry.series_uid)
            ]
        pyramid = self._tiles.pyramid(entry.slide_id or "")
        uids = [f"{entry.series_uid}.1.{level}" for level in sorted(pyramid.present)]
        names = [name for name in ASSOCIATED if name in pyramid.record.associated]
        uids += [associated_uid(entry.series_uid, name) for name in names]
        return [self._made(entry, uid) for uid in uids]

    def count(self, entry: SeriesEntry) -> int:
        """How many instances a slide's series has, without opening one. Errors: NotFound."""
        pyramid = self._tiles.pyramid(entry.slide_id or "")
        beside = sum(name in pyramid.record.associated for name in ASSOCIATED)
        return len(pyramid.present) + beside

    def instance(self, entry: SeriesEntry, sop_uid: str) -> Instance:
        """One instance of a series. Errors: NotFound."""
        if not entry.received:
            return self._made(entry, sop_uid)
        found = self._objects.get(sop_uid)
        if found.series_uid != entry.series_uid:
            raise NotFound("the series has no such object")
        return self._stored(entry, found)

    def _stored(self, entry: SeriesEntry, found: StoredObject) -> Instance:
        key = (found.sop_uid, entry, 0)
        path = object_path(self._layout, found.sha256)
        return self._kept(key) or self._keep(key, StoredInstance(found, path))

    def _made(self, entry: SeriesEntry, sop_uid: str) -> Instance:
        key = parse_instance(sop_uid)
        if key is None or key.series_uid != entry.series_uid:
            raise NotFound("the series has no such image")
        pyramid = self._tiles.pyramid(entry.slide_id or "")
        if key.associated is not None:  # small, seldom, and not worth its memory
            if key.associated not in pyramid.record.associated:
                raise NotFound("the slide has no such image")
            return VirtualPicture(pyramid, key.associated, entry)
        known = (sop_uid, entry, pyramid.stamp)
        kept = self._kept(known)
        if kept is not None:
            return kept
        level = pyramid.present.get(key.level or 0)
        if level is None:
            raise NotFound("the slide has no such level yet")
        return self._keep(known, VirtualLevel(self._tiles, pyramid, level, entry))

    def _kept(self, key: _Key) -> Instance | None:
        with self._lock:
            found = self._known.get(key)
            if found is not None:
                self._known.move_to_end(key)
            return found

    def _keep(self, key: _Key, made: Instance) -> Instance:
        with self._lock:
            self._known[key] = made
            while len(self._known) > _MOST:
                self._known.popitem(last=False)
        return made
