"""What a model file is, told from its bytes: what could run code by being opened is refused.

A `.pt2` always holds example inputs as a pickle, and torch.export.load falls back to unpickling
anything in it (torch 2.13.0, _export/serde/serialize.py): `without_examples` takes them out, and
nothing else that is pickled may be in. It is still a program, and runs in the box alone.
Sources: https://huggingface.co/docs/safetensors (format), torch.export.pt2_archive.
"""

from __future__ import annotations

import io
import json
import zipfile

from storage.errors import Refused
from storage.records.models import ModelFormat

MOST_BYTES = 512 * 2**20
_MOST_HEADER = 16 * 2**20
_MOST_MEMBERS = 20_000
_EXAMPLES = "/data/sample_inputs/"
_PICKLED = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
_COMPILED = (".so", ".dll", ".dylib", ".cubin", ".cpp", ".o", ".ptx")
_DTYPES = ("F64", "F32", "F16", "BF16", "I64", "I32", "I16", "I8", "U8", "BOOL")


def told(data: bytes) -> ModelFormat:
    """The format of a model file. Errors: Refused with the reason."""
    if len(data) > MOST_BYTES:
        raise Refused(f"a model of more than {MOST_BYTES // 2**20} MB is not taken")
    if zipfile.is_zipfile(io.BytesIO(data)):
        return _zip(data)
    if data[:2] in _PICKLED or data[:1] in (b"(", b"c") or b"torch_utils" in data[:200]:
        raise Refused("a pickle runs code when it is opened; bring safetensors instead")
    _check_safetensors(data)
    return ModelFormat.SAFETENSORS


def without_examples(data: bytes) -> bytes:
    """A `.pt2` with its pickled example inputs emptied; the rest byte for byte."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as source,
        zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as target,
    ):
        for member in source.infolist():
            kept = b"" if _EXAMPLES in f"/{member.filename}" else source.read(member)
            target.writestr(member.filename, kept)
    return out.getvalue()


def _zip(data: bytes) -> ModelFormat:
    """A zip is a .pt2 without a pickle in it, or nothing we open."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if len(members) > _MOST_MEMBERS or sum(at.file_size for at in members) > MOST_BYTES:
                raise Refused("the archive unpacks to more than a model may be")
            for member in members:
                _check_member(archive, member)
            if not any(at.filename.endswith("/models/model.json") for at in members):
                raise Refused("a zip that is no .pt2: there is no models/model.json in it")
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError) as error:
        raise Refused("the archive cannot be read") from error
    return ModelFormat.PT2


def _check_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    name = member.filename
    base = name.rpartition("/")[2]
    if base in ("data.pkl", "constants.pkl") or base.endswith((".pkl", ".pickle")):
        kind = "TorchScript" if "/code/" in "".join(archive.namelist()) else "a pickle"
        raise Refused(f"{kind} runs code when it is opened; bring safetensors instead")
    if "/code/" in f"/{name}" and base.endswith(".py"):
        raise Refused("TorchScript is not taken; bring safetensors, or export with torch.export")
    if base.endswith(_COMPILED) or "/aotinductor/" in f"/{name}":
        raise Refused("the archive holds compiled code")
    if _EXAMPLES in f"/{name}":
        return
    if base.endswith((".pt", ".pth", ".bin")) or base.startswith(("custom_obj_", "opaque_obj_")):
        raise Refused("the archive holds pickled objects; export plain tensors alone")
    if base.endswith("_config.json"):
        _check_config(archive.read(member))
    elif archive.open(member).read(2) in _PICKLED and not base.startswith("weight_"):
        raise Refused("the archive holds a pickle")


def _check_config(document: bytes) -> None:
    try:
        entries = json.loads(document)["config"].values()
        pickled = any(at.get("use_pickle") is not False for at in entries)
        outside = any(not str(at["path_name"]).isidentifier() for at in entries)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused("the archive's list of weights cannot be read") from error
    if pickled:
        raise Refused("the archive says use_pickle: opening it would run code")
    if outside:
        raise Refused("the archive names weights that are not in it")


def _check_safetensors(data: bytes) -> None:
    """Its header adds up: every tensor lies inside, none overlaps."""
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or not 2 <= length <= min(_MOST_HEADER, len(data) - 8):
        raise Refused("neither safetensors nor .pt2")
    try:
        header = json.loads(data[8 : 8 + length])
        header.pop("__metadata__", None)
        spans = sorted(tuple(at["data_offsets"]) for at in header.values())
        known = all(at["dtype"] in _DTYPES for at in header.values())
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused("neither safetensors nor .pt2") from error
    end = 0
    for start, stop in spans:
        if start != end or stop < start:
            raise Refused("the tensors of the file overlap or leave gaps")
        end = stop
    if end != len(data) - 8 - length or not known or not spans:
        raise Refused("the tensors of the file do not fill it")
