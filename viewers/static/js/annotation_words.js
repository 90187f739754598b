/** Annotations in words: their kinds, what they measure, who made them. */
import { areaOf, lengthOf } from "./annotation_shapes.js";
import { number } from "./format.js";
import { t } from "./i18n.js";

/** @typedef {import("./annotation_types.js").Content} Content */
/** @typedef {import("./annotation_types.js").Origin} Origin */

/** @type {Record<import("./annotation_types.js").Kind, {word: string, icon: string}>} */
export const KINDS = {
  point: { word: t("Point"), icon: "map-pin" },
  multipoint: { word: t("Points"), icon: "map-pin" },
  polyline: { word: t("Line"), icon: "pencil" },
  rectangle: { word: t("Rectangle"), icon: "square" },
  polygon: { word: t("Polygon"), icon: "pentagon" },
  ellipse: { word: t("Ellipse"), icon: "circle-dashed" },
  text: { word: t("Text"), icon: "type" },
};

/** @type {Record<string, string>} */
export const CHAPTERS = {
  AnnotationDrawn: t("Drawn"),
  AnnotationChanged: t("Changed"),
  AnnotationRemoved: t("Deleted"),
  AnnotationRestored: t("Restored"),
};

/** @type {Record<string, string>} */
export const PARTS = {
  kind: t("shape"),
  parts: t("shape"),
  label: t("label"),
  colour: t("colour"),
  text: t("text"),
  measurements: t("measurements"),
  group: t("group"),
  locked: t("lock"),
};

/**
 * Area and outline, or length; in µm and mm where the pixel size is known.
 * @param {Pick<Content, "kind" | "parts">} content
 * @param {number | null} mpp
 */
export function measureWords(content, mpp) {
  const [area, along] = [areaOf(content), lengthOf(content)];
  if (!along) return "";
  const line = lineWords(along, mpp);
  return area ? `${areaWords(area, mpp)} · ${t("outline {length}", { length: line })}` : line;
}

/** @param {number} pixels square ones @param {number | null} mpp */
function areaWords(pixels, mpp) {
  if (mpp === null) return `${number(pixels)} px²`;
  const square = pixels * mpp * mpp;
  if (square >= 10_000) return `${number(square / 1e6, square >= 1e6 ? 2 : 3)} mm²`;
  return `${number(square, square < 100 ? 1 : 0)} µm²`;
}

/** @param {number} pixels @param {number | null} mpp */
function lineWords(pixels, mpp) {
  if (mpp === null) return `${number(pixels)} px`;
  const micrometres = pixels * mpp;
  if (micrometres >= 1000) return `${number(micrometres / 1000, 2)} mm`;
  return `${number(micrometres, micrometres < 10 ? 1 : 0)} µm`;
}

/**
 * Who made it: a person, a file, an algorithm with its version.
 * @param {{author: string, origin: Origin}} at
 * @param {Record<string, string>} people
 */
export function makerWords({ author, origin }, people) {
  const person = people[author] ?? author;
  if (origin.kind === "person") return person || t("you");
  const name = [origin.name, origin.version].filter(Boolean).join(" ");
  if (origin.kind === "algorithm") return name || t("an algorithm");
  return [person, name].filter(Boolean).join(" · ") || t("a file");
}
