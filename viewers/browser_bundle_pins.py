"""What the bundle of the radiology page is made of: packages, entries, WebAssembly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Ingredient:
    """One pinned package; `holds` is what its licence file does not say."""

    name: str
    version: str
    integrity: str
    holds: str = ""

    @property
    def archive(self) -> str:
        """What npm calls its archive."""
        plain = self.name.removeprefix("@").replace("/", "-")
        return f"{plain}-{self.version}.tgz"


INGREDIENTS: Final = (
    Ingredient(
        "@cornerstonejs/dicom-image-loader",
        "5.14.0",
        (
            "sha512-bzd4eImCFinUtDyBfHq7DNYXTpzrkqlg88tgYxaecFt1UnV86nhM4"
            "1QgWqZiP5sBu03kQs8X0np8csvBolvJjw=="
        ),
    ),
    Ingredient(
        "@cornerstonejs/codec-charls",
        "1.2.7",
        (
            "sha512-kNfQ7J8LIrfQUbt56fPJ0SEvevLlAAbsLHjqPS4DUDWVSuAHb5Fn0"
            "cMIV/U0SYkJRJqKvzyLJYF1hl7/xQGqLQ=="
        ),
        ("Holds CharLS (BSD-3-Clause, https://github.com/team-charls/charls)."),
    ),
    Ingredient(
        "@cornerstonejs/codec-libjpeg-turbo-8bit",
        "1.2.7",
        (
            "sha512-TINxDtm+RQuMvWNyNR6z8lCkqDKguZBMrPJ3+oAvLc1XQ3tQsIGII"
            "UWzveedpyr8gp7DYsQqoPLhCl2mYTSv3w=="
        ),
        (
            "Holds libjpeg-turbo (IJG, BSD-3-Clause; https://libjpeg-turbo.org). This softwar"
            "e is based in\npart on the work of the Independent JPEG Group."
        ),
    ),
    Ingredient(
        "@cornerstonejs/codec-openjpeg",
        "1.3.6",
        (
            "sha512-bSdZXF+2GxfBkWHUr7yGLQtIwbAm9wOl3e4ARee/9Z9lfKyVqhUCi"
            "xI6+ZjIn9YKTIuDcn/NZNK94XEUg1SBtw=="
        ),
        ("Holds OpenJPEG (BSD-2-Clause, https://www.openjpeg.org)."),
    ),
    Ingredient(
        "@cornerstonejs/codec-openjph",
        "2.4.11",
        (
            "sha512-NzwCYevGSj2JOuP7BztxrOd5WnJ86gOGLv3sq36jZxxHUXoDo1Yhz"
            "izHiYz+T7GQqkzbfaQcwSyxsRogzGFIPQ=="
        ),
        ("Holds OpenJPH (BSD-2-Clause, https://github.com/aous72/OpenJPH)."),
    ),
    Ingredient(
        "@cornerstonejs/jpeg-lossless-decoder-js",
        "2.2.1",
        (
            "sha512-cDCv7dm3qw9kbxCydvj0UGbNQcsPmTwcyd9SQXkBt34CDgSBeb8Xv"
            "j0Gz9HlJ+7DIKOFMTazF1oDJSu0pcCKmg=="
        ),
    ),
    Ingredient(
        "comlink",
        "4.4.2",
        (
            "sha512-OxGdvBmJuNKSCMO4NTl1L47VRp6xn2wG4F/2hYzB6tiCb709otOxt"
            "EYCSvK80PtjODfXXZu8ds+Nw5kVCjqd2g=="
        ),
    ),
    Ingredient(
        "dicomweb-client",
        "0.11.3",
        (
            "sha512-7t1Rc/01fyFnKlQeNPW9Pvxvmsx8R/BgB2n7BxTuWirRFwlTC5upE"
            "eLeS3vO72P+n6/SQZ3+5ij0bgaWDHQG/A=="
        ),
    ),
    Ingredient(
        "pako",
        "2.1.0",
        (
            "sha512-w+eufiZ1WuJYgPXbV/PO3NCMEc3xqylkKHzp8bxp1uW4qaSNQUkwm"
            "LLEc3kKsfz8lpV1F8Ht3U1Cm+9Srog2ug=="
        ),
    ),
)
BUNDLER: Final = Ingredient(
    "esbuild-wasm",
    "0.28.2",
    (
        "sha512-GccVwhv3mmOUVQHCQm2Ox/rby8n/EqUwvZxE6Pjfikrq/lWw9g9WX"
        "/u9EykWnpot3Ko6j426DgQdea2xWKIAQA=="
    ),
)
"""The one for any processor, not the quicker one that is another file on each."""
WASM: Final = (
    ("@cornerstonejs/codec-charls", "dist/charlswasm_decode.wasm", "charls-1.2.7.wasm"),
    (
        "@cornerstonejs/codec-libjpeg-turbo-8bit",
        "dist/libjpegturbowasm_decode.wasm",
        "libjpeg-turbo-1.2.7.wasm",
    ),
    ("@cornerstonejs/codec-openjpeg", "dist/openjpegwasm_decode.wasm", "openjpeg-1.3.6.wasm"),
    ("@cornerstonejs/codec-openjph", "dist/openjphjs.wasm", "openjph-2.4.11.wasm"),
)
"""Package, file inside, its name here; each is fetched by the browser when first needed."""
ENTRIES: Final = {
    "dicom.js": (
        'export { api } from "dicomweb-client";\nexport { transfer, wrap } from "comlink";\n'
    ),
    "decode.js": (
        'import "./node_modules/@cornerstonejs/dicom-image-loader/dist/esm/'
        'decodeImageFrameWorker.js";\n'
    ),
}
"""The page's module, and the worker that decodes."""
TYPES: Final = """\
type Named = { studyInstanceUID: string; seriesInstanceUID: string };
type Part = ArrayBuffer & { transferSyntaxUID?: string | null };
type Hook = (request: XMLHttpRequest, about: object) => XMLHttpRequest;
interface Client {
  retrieveSeriesMetadata(options: Named): Promise<object[]>;
  retrieveInstanceFrames(options: Named & {
    sopInstanceUID: string; frameNumbers: string; mediaTypes?: object[]; progressCallback?: unknown;
  }): Promise<Part[]>;
  retrieveBulkData(options: { BulkDataURI: string }): Promise<Part[]>;
}
export const api: {
  DICOMwebClient: new (options: {
    url: string; verbose?: boolean; requestHooks?: Hook[];
    errorInterceptor?: (error: object) => void;
  }) => Client;
};
export function wrap<T>(worker: Worker): T;
export function transfer<T>(value: T, transfers: Transferable[]): T;
"""
