/** What the eye measures by: number of the picture, place, value, window, zoom, size of a pixel, sides. */
import { h, setContent } from "./dom.js";
import { number } from "./format.js";
import { t } from "./i18n.js";
import { edgesOf } from "./imaging_orientation.js";
import { spacingOf } from "./imaging_spacing.js";
import { unitOf, valueAt } from "./imaging_values.js";
import { spacingWords } from "./imaging_words.js";
import { element } from "./page.js";

/** @typedef {import("./imaging_page.js").Page} Page */

/** @param {Page} page */
export function startReadout(page) {
  const slice = /** @type {HTMLInputElement} */ (element("slice"));
  const place = element("readout");
  const [turned, probe, zoom, size] = ["turned", "position", "zoom", "pixel-size"].map((name) => h("output", { class: name }));
  place.replaceChildren(...[turned, probe, zoom, size].filter((at) => at !== undefined));
  const show = () => {
    const { frame, view } = page.stage;
    if (turned) setContent(turned, turnedWords(view));
    if (probe) setContent(probe, frame ? probeWords(page) : "");
    if (zoom) setContent(zoom, frame ? `${number(view.scale * 100)} %` : "");
    if (size) setContent(size, frame ? sizeWords(page) : "");
    showSides(page);
  };
  const showPlace = () => {
    const { count, index } = page.player;
    slice.max = String(Math.max(1, count));
    slice.value = String(index + 1);
    slice.disabled = count < 2;
    setContent(element("slice-words"), count > 0 ? t("Image {number} of {count}", { number: index + 1, count }) : "");
  };
  slice.addEventListener("input", () => page.player.step(Number(slice.value) - 1 - page.player.index));
  page.player.addEventListener("moved", showPlace);
  page.player.addEventListener("shown", showPlace);
  page.stage.addEventListener("drawn", show);
  page.addEventListener("change", show);
}

/** Place and value under the pointer. @param {Page} page */
function probeWords({ stage, pointed }) {
  const { pixels, frame } = stage;
  if (!pointed || !pixels || !frame) return "";
  const [x, y] = [Math.floor(pointed.x), Math.floor(pointed.y)];
  if (x < 0 || y < 0 || x >= pixels.columns || y >= pixels.rows) return "";
  const where = `x ${number(x)}  y ${number(y)}`;
  if (pixels.kind === "colour") {
    const [red = 0, green = 0, blue = 0] = pixels.rgba.subarray((y * pixels.columns + x) * 4);
    return `${where}  RGB ${red} ${green} ${blue}`;
  }
  const value = valueAt(pixels, x, y);
  if (value === null) return `${where}  ${t("no image here")}`;
  const decimals = Number.isInteger(value) ? 0 : Math.abs(value) < 10 ? 3 : 1;
  return `${where}  ${number(value, decimals)} ${unitOf(frame.dataset)}`.trimEnd();
}

/** @param {Page} page */
function sizeWords({ stage, lengths }) {
  const { frame } = stage;
  if (!frame) return "";
  const spacing = spacingOf(frame.dataset);
  const star = spacing?.origin === "detector" && lengths.on(frame).length > 0 ? "* " : "";
  if (!spacing) return frame.dataset["00186011"] ? t("mm, from the ultrasound's own scale") : spacingWords(null);
  return `${star}${number(spacing.column, 3)} ${spacingWords(spacing)}`;
}

/** @param {Page} page */
function showSides({ stage }) {
  const { frame, view } = stage;
  const edges = frame ? edgesOf(frame.dataset, view) : { top: "", right: "", bottom: "", left: "" };
  for (const [edge, letters] of Object.entries(edges)) setContent(element(`side-${edge}`), letters);
}

/** A turned or mirrored picture is said in words: left and right depend on it. @param {import("./types_imaging.js").View} view */
function turnedWords({ turns, flipped }) {
  const words = [turns !== 0 && t("turned {degrees}°", { degrees: number(turns * 90) }), flipped && t("mirrored")];
  return words.filter(Boolean).join(", ");
}
