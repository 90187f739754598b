"""What is bundled for radiology: pinned, licensed, small, without `eval`, and served narrowly."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.viewers.department import Department
from viewers import browser_bundle
from viewers.browser_bundle import RECIPE, TARGET, Recipe, bundle, fetch, point_at_wasm, unpack
from viewers.browser_bundle_pins import BUNDLER, INGREDIENTS, WASM, Ingredient
from viewers.browser_packages import BrowserPackageError, is_intact
from viewers.headers import DECODER_POLICY
from viewers.pages import asset

MOST_AT_ONCE = 90_000
"""Bytes over the line before the first picture: the page's module and the decoder, compressed."""


@pytest.fixture(scope="module")
def department(tmp_path_factory: pytest.TempPathFactory) -> Department:
    return Department.found(tmp_path_factory.mktemp("department"))


def test_it_is_here_whole_with_every_licence() -> None:
    assert is_intact(RECIPE.result, TARGET)
    told = (TARGET / "LICENSE").read_text("utf-8")
    for at in INGREDIENTS:
        assert f"{at.name} {at.version} (" in told
    for named in ("OpenJPEG", "CharLS", "Independent JPEG Group", "OpenJPH"):
        assert named in told
    assert BUNDLER.name not in told


def test_another_recipe_is_another_bundle() -> None:
    other = Ingredient("comlink", "0.0.1", "sha512-other")
    changed = Recipe((other, *RECIPE.ingredients[1:]), RECIPE.entries)
    assert not is_intact(changed.result, TARGET)
    assert not is_intact(Recipe(RECIPE.ingredients, {"dicom.js": ""}).result, TARGET)


def test_only_what_is_used_is_in_it() -> None:
    scripts = {name: (TARGET / name).read_bytes() for name in ("dicom.js", "decode.js")}
    for script in scripts.values():
        assert b"new Function" not in script
        assert b"vtk" not in script
    assert sum(len(gzip.compress(at)) for at in scripts.values()) < MOST_AT_ONCE
    assert {at.name for at in TARGET.glob("*.wasm")} == {name for _, _, name in WASM}


def test_another_package_under_a_pinned_name_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tmp_path / "comlink-4.4.2.tgz"
    archive.write_bytes(b"something else")
    monkeypatch.setattr(browser_bundle, "fetch", lambda *_: [archive])
    recipe = Recipe(tuple(at for at in INGREDIENTS if at.name == "comlink"), {})
    with pytest.raises(BrowserPackageError, match="not the one pinned"):
        bundle(recipe, tmp_path)
    with pytest.raises(BrowserPackageError, match="cannot be unpacked"):
        unpack(archive, tmp_path / "node_modules" / "comlink")
    assert not (tmp_path / "node_modules" / "comlink").exists()


def test_without_npm_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser_bundle, "npm_command", lambda: ["false"])
    with pytest.raises(BrowserPackageError, match="npm pack failed"):
        fetch(INGREDIENTS, tmp_path)


def test_a_codec_that_looks_elsewhere_for_its_webassembly_is_noticed() -> None:
    with pytest.raises(BrowserPackageError, match="in another way"):
        point_at_wasm(b"const nothing = 1;")


def test_the_decoder_alone_may_run_webassembly(department: Department) -> None:
    client = department.client(None)
    decoder = client.get(asset("vendor/imaging/decode.js"))
    assert decoder.headers["content-security-policy"] == DECODER_POLICY
    assert "'unsafe-eval'" not in DECODER_POLICY
    assert DECODER_POLICY.startswith("default-src 'none'")
    for path in ("vendor/imaging/dicom.js", "js/imaging.js", "js/imaging_decode.js"):
        assert "unsafe" not in client.get(asset(path)).headers["content-security-policy"]
    for _, _, name in WASM:
        answer = client.get(asset(f"vendor/imaging/{name}"))
        assert answer.headers["content-type"] == "application/wasm"
        assert answer.content == (TARGET / name).read_bytes()
        assert "immutable" in answer.headers["cache-control"]
