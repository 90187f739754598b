/** The buttons of the radiology page: tools, windows, cine; each shows what is on. */
import { h, icon } from "./dom.js";
import { number } from "./format.js";
import { t } from "./i18n.js";
import { element } from "./page.js";

/** @typedef {import("./imaging_page.js").Page} Page */

const TOOLS = /** @type {const} */ (["window", "pan", "zoom", "measure"]);

/** @param {Page} page */
export function startTools(page) {
  for (const tool of TOOLS) element(`tool-${tool}`).addEventListener("click", () => page.setTool(tool));
  const show = () => {
    for (const tool of TOOLS) element(`tool-${tool}`).setAttribute("aria-pressed", String(page.tool === tool));
    element("invert").setAttribute("aria-pressed", String(page.stage.inverted));
    element("overlays").setAttribute("aria-pressed", String(page.marks.showOverlays));
    element("overlays").hidden = page.marks.overlays.length === 0;
    element("picture").dataset.tool = page.tool;
    element("main").classList.toggle("without-picture", page.player.count === 0);
  };
  page.addEventListener("change", show);
  page.player.addEventListener("shown", show);
  page.player.addEventListener("moved", show);
  startWindow(page);
  startCine(page);
  show();
}

/** The window as a choice and as two figures. @param {Page} page */
function startWindow(page) {
  const choice = /** @type {HTMLSelectElement} */ (element("tone"));
  const level = /** @type {HTMLInputElement} */ (element("level"));
  const width = /** @type {HTMLInputElement} */ (element("width"));
  choice.addEventListener("change", () => page.chooseTone(choice.value));
  const set = () => {
    const { pixels, tones } = page.stage;
    const [center, wide] = [Number(level.value), Number(width.value)];
    if (pixels?.kind === "grey" && level.value !== "" && wide > 0 && Number.isFinite(center)) page.setWindow({ ...tones.asWindow(pixels), center, width: wide });
    else show();
  };
  for (const field of [level, width]) field.addEventListener("change", set);
  const show = () => {
    const { pixels, tones } = page.stage;
    const grey = pixels?.kind === "grey";
    element("window").hidden = !grey;
    if (!grey) return;
    showChoice(choice, tones);
    const { shown } = tones;
    const plain = "entries" in shown ? null : shown;
    for (const [field, value] of /** @type {const} */ ([[level, plain?.center], [width, plain?.width]])) {
      if (field !== document.activeElement) field.value = value === undefined ? "" : String(Math.round(value * 1e6) / 1e6);
    }
  };
  page.addEventListener("change", show);
  page.player.addEventListener("shown", show);
}

/**
 * @param {HTMLSelectElement} choice
 * @param {import("./imaging_tones.js").Tones} tones
 */
function showChoice(choice, tones) {
  const wanted = tones.list.map(({ key, name }, index) => [key, index < 9 ? `${index + 1}  ${name}` : name]);
  if (tones.key === "") wanted.push(["", t("Set by hand")]);
  const known = JSON.stringify(wanted);
  if (choice.dataset.known !== known) {
    choice.dataset.known = known;
    choice.replaceChildren(...wanted.map(([key = "", name = ""]) => h("option", { value: key }, name)));
  }
  choice.value = tones.key;
}

/** @param {Page} page */
function startCine(page) {
  const button = element("cine");
  const rate = element("rate");
  const { cine } = page.player;
  button.addEventListener("click", () => cine.toggle());
  element("slower").addEventListener("click", () => cine.setRate(cine.rate - 1));
  element("faster").addEventListener("click", () => cine.setRate(cine.rate + 1));
  const show = () => {
    const words = cine.running ? t("Stop") : t("Play");
    element("cine-bar").hidden = page.player.count < 2;
    button.replaceChildren(icon(cine.running ? "pause" : "play"));
    button.setAttribute("aria-label", words);
    button.setAttribute("title", t("{words} (space)", { words }));
    const tenths = Math.round(cine.rate * 10) / 10;
    rate.textContent = t("{rate} images/s", { rate: number(tenths, Number.isInteger(tenths) ? 0 : 1) });
  };
  cine.addEventListener("change", show);
  page.player.addEventListener("shown", show);
  show();
}
