"""What the stages work with, made once per process from the settings."""

from __future__ import annotations

from dataclasses import dataclass

from storage.database import Database
from storage.layout import Layout
from storage.pyramids import Pyramids
from storage.settings import Settings


@dataclass(frozen=True, slots=True)
class Services:
    """Settings, database and the store of pyramids."""

    settings: Settings
    database: Database
    pyramids: Pyramids

    @property
    def layout(self) -> Layout:
        """Paths below the data folder."""
        return self.settings.layout


def open_services(settings: Settings) -> Services:
    """Connect; touches neither tables nor folders."""
    layout = settings.layout
    pyramids = Pyramids(layout.pyramids, layout.staging, layout.cold)
    return Services(settings, Database(settings.database_url), pyramids)


def prepare_services(settings: Settings) -> Services:
    """Connect, with folders made and tables brought to this version."""
    settings.layout.create()
    services = open_services(settings)
    services.database.migrate()
    return services
