"""The DICOM Conformance Statement and the IHE Integration Statement, written from the code.

Sources: PS3.2 (conformance), IHE RAD TF-1 appendix on integration statements.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.metadata import version

from flows import conformance_facts as facts
from flows.conformance_web import SERVICES
from flows.dicom_bounds import MAX_PDU
from flows.dicom_context import AE_TITLE
from processing.dicom.envelope import IMPLEMENTATION
from storage.records.imaging import PeerMay

_NEEDS = {
    None: "any known node", PeerMay.STORE: "store", PeerMay.QUERY: "query",
    PeerMay.RETRIEVE: "retrieve", PeerMay.WORKLIST: "worklist",
}  # fmt: skip
_SENT = (
    (facts.VERIFICATION, "`svartid peer test`"),
    ("1.2.840.10008.5.1.4.1.1 (storage classes)", "`svartid send`, forwarding, C-MOVE, C-GET"),
    ("1.2.840.10008.1.20.1", "asked after forwarding; answered to those who ask us"),
    ("1.2.840.10008.5.1.4.34.6.4", "subscribers are told of procedure steps (in the role of SCP)"),
)
_IHE = (
    ("Image Manager", "SWF.b", "RAD-8 Modality Images Stored, RAD-10 Storage Commitment"),
    ("Image Archive", "SWF.b", "RAD-14 Query Images, RAD-16 Retrieve Images"),
    ("Order Filler", "SWF.b", "RAD-5 Query Modality Worklist"),
    ("Performed Procedure Step Manager", "SWF.b", "RAD-6, RAD-7 Modality Procedure Step"),
    ("Imaging Document Responder", "WIA", "RAD-107 WADO-RS Retrieve, RAD-129 QIDO-RS Query"),
    ("Image Manager", "WIC", "RAD-108 Store Instances over the Web"),
    ("Task Manager", "AIW-I", "RAD-80 to RAD-88 UPS Workitems"),
)


def statement() -> str:
    """The conformance statement as Markdown."""
    return "\n".join([*_head(), *_network(), *_queries(), *_web(), *_made(), *_security()]) + "\n"


def integration() -> str:
    """The IHE integration statement as Markdown."""
    lines = [
        "# IHE Integration Statement",
        "",
        "svartid has not been to a Connectathon. Each line is a transaction the code answers",
        "and the tests drive with programs of others (docs/dicom-conformance.md has the details).",
        "",
        *_table(("actor", "profile", "transactions"), _IHE),
        "",
        "Not claimed: IHE PaLM's digital pathology profiles (DPIA, DPOW) are drafts without final",
        "transaction numbers; the worklist and storage above are what they build on.",
    ]
    return "\n".join(lines) + "\n"


def _head() -> Iterator[str]:
    yield "# DICOM Conformance Statement"
    yield ""
    yield "Made from the code by `svartid conformance`; a test holds this file against it."
    yield ""
    yield from _table(
        ("", ""),
        (
            ("product", "svartid"),
            ("version", version("svartid")),
            ("AE title", AE_TITLE),
            ("implementation class UID", str(IMPLEMENTATION)),
            ("implementation version name", AE_TITLE),
            ("largest PDU taken", f"{MAX_PDU} bytes"),
        ),
    )
    yield ""
    yield "The node is off until `svartid up --dicom-port` names a port. Every caller is known by"
    yield "AE title and address (`svartid peer`), and may do only what it is let do."


def _network() -> Iterator[str]:
    yield from ("", "## Network services, as SCP", "")
    yield from _table(
        ("SOP class", "UID", "the caller has to be let"),
        ((facts.name_of(at.abstract_syntax), at.abstract_syntax, _NEEDS[at.needs])
         for at in facts.offers()),
    )  # fmt: skip
    yield from ("", "### Storage", "")
    yield "All classes below, retired and private ones, and those that are not yet in the"
    yield "standard: an object is kept as it came. Callers need `store`; with `retrieve` the same"
    yield "classes are given out, by C-GET in the role negotiated."
    yield ""
    yield from _table(
        ("storage class", "UID"), ((facts.name_of(uid), uid) for uid in facts.storage_classes())
    )
    yield from ("", "### Transfer syntaxes", "")
    yield "Taken for every storage class in the order the caller proposes. Nothing is transcoded:"
    yield "an instance goes out in the syntax it is kept in; one that is not encoded also as"
    yield "Explicit or Implicit VR Little Endian. Other services: Explicit and Implicit VR Little"
    yield "Endian, Explicit VR Big Endian."
    yield ""
    yield from _table(
        ("transfer syntax", "UID"), ((facts.name_of(uid), uid) for uid in facts.transfer_syntaxes())
    )
    yield from ("", "## Network services, as SCU", "")
    rows = ((facts.name_of(uid), uid.partition(" ")[0], when) for uid, when in _SENT)
    yield from _table(("SOP class", "UID", "when"), rows)


def _queries() -> Iterator[str]:
    yield from ("", "## Query keys", "")
    yield "The same for C-FIND and QIDO-RS: single value, list of UIDs, universal, wildcard,"
    yield "range and sequence matching; names without regard to case. No fuzzy matching, no"
    yield "extended negotiation is needed: relational queries are answered. Instances answer"
    yield "their own attributes as well."
    yield ""
    rows = ((level, ", ".join(names)) for level, names in facts.query_keys())
    yield from _table(("level", "keys"), rows)


def _web() -> Iterator[str]:
    yield from ("", "## DICOMweb", "")
    yield "Root `/dicom-web`. The stored transfer syntax is the default; with `Accept` an encoded"
    yield "frame is given as Explicit VR Little Endian, one frame at a time, with planes, words and"
    yield "colours as the metadata says; what is coded as YBR_FULL_422, YBR_ICT or YBR_RCT is then"
    yield "RGB, three samples a pixel ([decision 23](decisions/0023-plain-samples.md)). JSON is"
    yield "PS3.18 F."
    yield ""
    rows = ((f"`{at.method} {at.path}`", at.what, at.section) for at in SERVICES)
    yield from _table(("resource", "what", "PS3.18"), rows)


def _made() -> Iterator[str]:
    yield from ("", "## Objects made", "")
    yield "Of every slide, whatever its scanner: VL Whole Slide Microscopy Image Storage,"
    yield "TILED_FULL, one instance a level, label, overview and thumbnail beside them, with"
    yield "these attributes:"
    yield ""
    yield from _table(("tag", "VR", "attribute"), facts.made_attributes())


def _security() -> Iterator[str]:
    yield from ("", "## Character sets and security", "")
    yield "All character sets of the standard are read; answers and objects made are ISO_IR 192"
    yield "(UTF-8). TLS 1.2 with forward secrecy and AEAD, and TLS 1.3 (PS3.15 B.12, RFC 9325),"
    yield "with client certificates where an authority is named. Plain connections beyond this"
    yield "machine have to be asked for. Every query that names a patient, every retrieval and"
    yield "every forwarding leaves a line in the access log before anything goes out."


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(row) + " |"
