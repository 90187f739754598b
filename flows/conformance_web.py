"""The DICOMweb services as the conformance statement names them.

The web app is not asked, for flows do not know it; a test holds this table against its routes.
"""

from __future__ import annotations

from typing import NamedTuple


class Service(NamedTuple):
    """One resource below the root: how it is asked for, what it is, by which section of PS3.18."""

    method: str
    path: str
    what: str
    section: str


_STUDY = "/studies/{study}"
_SERIES = _STUDY + "/series/{series}"
_INSTANCE = _SERIES + "/instances/{instance}"
_STEPS = "/workitems"
_STEP = _STEPS + "/{workitem}"
_EAR = _STEP + "/subscribers/{aetitle}"

SERVICES = (
    Service("GET", "/studies", "search for studies", "QIDO-RS 10.6"),
    Service("GET", "/series", "search for series", "QIDO-RS 10.6"),
    Service("GET", "/instances", "search for instances", "QIDO-RS 10.6"),
    Service("GET", _STUDY + "/series", "search for a study's series", "QIDO-RS 10.6"),
    Service("GET", _STUDY + "/instances", "search for a study's instances", "QIDO-RS 10.6"),
    Service("GET", _SERIES + "/instances", "search for a series' instances", "QIDO-RS 10.6"),
    Service("GET", _STUDY, "retrieve a study", "WADO-RS 10.4"),
    Service("GET", _SERIES, "retrieve a series", "WADO-RS 10.4"),
    Service("GET", _INSTANCE, "retrieve an instance, whole or in ranges", "WADO-RS 10.4"),
    Service("GET", _STUDY + "/metadata", "retrieve metadata", "WADO-RS 10.4"),
    Service("GET", _SERIES + "/metadata", "retrieve metadata", "WADO-RS 10.4"),
    Service("GET", _INSTANCE + "/metadata", "retrieve metadata", "WADO-RS 10.4"),
    Service("GET", _INSTANCE + "/bulkdata/{path}", "retrieve bulk data", "WADO-RS 10.4"),
    Service("GET", _INSTANCE + "/frames/{frames}", "retrieve frames", "WADO-RS 10.4"),
    Service("GET", _INSTANCE + "/rendered", "retrieve a picture", "WADO-RS 10.4"),
    Service("GET", _INSTANCE + "/frames/{frames}/rendered", "retrieve a picture", "WADO-RS 10.4"),
    Service("GET", _STUDY + "/thumbnail", "retrieve a thumbnail", "WADO-RS 10.4"),
    Service("GET", _SERIES + "/thumbnail", "retrieve a thumbnail", "WADO-RS 10.4"),
    Service("GET", _INSTANCE + "/thumbnail", "retrieve a thumbnail", "WADO-RS 10.4"),
    Service(
        "GET", _INSTANCE + "/frames/{frames}/thumbnail", "retrieve a thumbnail", "WADO-RS 10.4"
    ),
    Service("GET", "/wado", "retrieve an instance or a picture by a query", "WADO-URI 9"),
    Service("POST", "/studies", "store instances", "STOW-RS 10.5"),
    Service("POST", _STUDY, "store instances of a study", "STOW-RS 10.5"),
    Service("POST", _STEPS, "create a workitem", "UPS-RS 11.4"),
    Service("GET", _STEP, "retrieve a workitem", "UPS-RS 11.5"),
    Service("POST", _STEP, "update a workitem", "UPS-RS 11.6"),
    Service("PUT", _STEP + "/state", "change a workitem's state", "UPS-RS 11.7"),
    Service("POST", _STEP + "/cancelrequest", "request cancellation", "UPS-RS 11.8"),
    Service("GET", _STEPS, "search for workitems", "UPS-RS 11.9"),
    Service("POST", _EAR, "subscribe to one, all, or those that match", "UPS-RS 11.10"),
    Service("DELETE", _EAR, "unsubscribe", "UPS-RS 11.11"),
    Service("POST", _EAR + "/suspend", "suspend a subscription", "UPS-RS 11.12"),
)
