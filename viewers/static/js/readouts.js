/** Objective buttons, scale bar, position and pixel size: what the eye measures by. */
import { h, setContent } from "./dom.js";
import { length, number } from "./format.js";
import { t } from "./i18n.js";
import { objectives, powerAt, roundLength } from "./optics.js";
import { element } from "./page.js";

const LONGEST_BAR_PX = 160;
const SAME = 0.01;

/** @typedef {import("./microscope.js").Microscope} Microscope */

/** @type {Record<import("./types.js").Slide["mpp_origin"], string>} */
const ORIGINS = {
  header: t("from the file's header"),
  dicom: t("from DICOM"),
  tiff_resolution: t("from the TIFF resolution"),
  unknown: t("unknown"),
};

/** @param {Microscope} microscope */
export function startReadouts(microscope) {
  const buttons = objectiveButtons(microscope);
  const readout = positionReadout(microscope);
  const refresh = () => {
    const downsample = microscope.currentDownsample();
    buttons(downsample);
    scaleBar(microscope.slide.mpp, downsample);
    readout(downsample);
  };
  for (const event of /** @type {const} */ (["update-viewport", "animation-finish", "resize"])) {
    microscope.viewer.addHandler(event, refresh);
  }
  refresh();
}

/** @param {Microscope} microscope */
function objectiveButtons(microscope) {
  const known = objectives(microscope.slide.mpp);
  const buttons = known.map((objective, index) => {
    const words = objective.power === null ? `1:${objective.ratio}` : `${objective.power}×`;
    const hint = objective.possible
      ? t("Key {key}", { key: index + 1 })
      : t("The scan does not hold that much detail");
    return h(
      "button",
      { type: "button", title: hint, disabled: !objective.possible, onclick: () => microscope.zoomToDownsample(objective.downsample) },
      words,
    );
  });
  element("objectives").replaceChildren(...buttons);
  /** @param {number} downsample */
  return (downsample) => {
    known.forEach((objective, index) => {
      const chosen = Math.abs(downsample / objective.downsample - 1) < SAME;
      buttons[index]?.setAttribute("aria-pressed", String(chosen));
    });
  };
}

/**
 * @param {number | null} mpp
 * @param {number} downsample
 */
function scaleBar(mpp, downsample) {
  const place = element("scale-bar");
  if (mpp === null) {
    setContent(place, h("span", {}, t("no scale bar: pixel size unknown")));
    return;
  }
  const micrometres = roundLength(LONGEST_BAR_PX * downsample * mpp);
  let bar = /** @type {HTMLElement | null} */ (place.querySelector(".bar-line"));
  if (!bar) {
    bar = h("span", { class: "bar-line" });
    place.replaceChildren(h("span", {}), bar);
  }
  bar.style.width = `${micrometres / (downsample * mpp)}px`;
  setContent(/** @type {Element} */ (place.firstElementChild), length(micrometres));
}

/** @param {Microscope} microscope */
function positionReadout(microscope) {
  const { mpp, mpp_origin: origin } = microscope.slide;
  const place = element("readout");
  const position = h("output", { class: "position", title: t("Position under the pointer, else the middle of the view") });
  const zoom = h("output", { class: "zoom" });
  const turned = h("output", { class: "turned" });
  const pixelSize = mpp === null ? t("pixel size unknown") : `${number(mpp, 3)} µm/px ${ORIGINS[origin]}`;
  place.replaceChildren(turned, position, zoom, h("span", { class: "pixel-size" }, pixelSize));
  /** @type {{x: number, y: number} | null} */
  let pointer = null;
  const show = () => {
    const at = pointer ? microscope.positionAt(pointer) : microscope.view();
    const [x, y] = mpp === null ? [number(at.x), number(at.y)] : [number((at.x * mpp) / 1000, 3), number((at.y * mpp) / 1000, 3)];
    setContent(position, `x ${x}  y ${y} ${mpp === null ? "px" : "mm"}`);
  };
  microscope.viewer.element.addEventListener("pointermove", (event) => {
    const box = microscope.viewer.element.getBoundingClientRect();
    pointer = { x: event.clientX - box.left, y: event.clientY - box.top };
    show();
  });
  microscope.viewer.element.addEventListener("pointerleave", () => {
    pointer = null;
    show();
  });
  /** @param {number} downsample */
  return (downsample) => {
    setContent(zoom, mpp === null ? ratioWords(downsample) : `${significant(powerAt(downsample, mpp))}×`);
    setContent(turned, turnedWords(microscope.view()));
    show();
  };
}

/**
 * A turned or mirrored slide is said in words: left and right depend on it.
 * @param {import("./microscope.js").View} view
 */
function turnedWords({ rotation, flipped }) {
  const words = [rotation !== 0 && t("turned {degrees}°", { degrees: number(rotation) }), flipped && t("mirrored")];
  return words.filter(Boolean).join(", ");
}

/** @param {number} downsample */
function ratioWords(downsample) {
  return downsample >= 1 ? `1:${significant(downsample)}` : `${significant(1 / downsample)}:1`;
}

/** @param {number} value */
function significant(value) {
  return number(value, value < 9.95 && Math.abs(value - Math.round(value)) > 0.04 ? 1 : 0);
}
