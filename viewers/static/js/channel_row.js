/** One channel in the panel: on or off, its colour, and its window by slider or number. */
import { h } from "./dom.js";
import { number } from "./format.js";
import { t } from "./i18n.js";

/**
 * @param {import("./channel_choice.js").ChannelChoice} choice
 * @param {number} at the channel's number
 * @returns {{row: HTMLElement, show: () => void}} `show` puts what is chosen into the controls
 */
export function channelRow(choice, at) {
  const channel = /** @type {import("./types.js").Channel} */ (choice.channels.list[at]);
  const { name } = channel;
  const on = h("input", { type: "checkbox", onchange: () => choice.set(at, { on: on.checked }) });
  const color = h("input", {
    type: "color",
    "aria-label": t("Colour of {name}", { name }),
    title: t("Colour of {name}", { name }),
    oninput: () => choice.set(at, { color: color.value.slice(1).toUpperCase() }),
  });
  const low = edge(choice, t("Black up to"), name, (value) => choice.set(at, { low: value }));
  const high = edge(choice, t("Full from"), name, (value) => choice.set(at, { high: value }));
  const row = h(
    "li",
    { class: "channel" },
    h(
      "div",
      { class: "channel-head" },
      h("label", {}, on, h("span", { class: "channel-name", title: name }, name)),
      h("span", { class: "channel-light" }, light(channel)),
      color,
    ),
    low.line,
    high.line,
  );
  const show = () => {
    const setting = choice.settings[at];
    if (!setting) return;
    on.checked = setting.on;
    row.classList.toggle("off", !setting.on);
    color.value = `#${setting.color.toLowerCase()}`;
    low.show(setting.low);
    high.show(setting.high);
  };
  show();
  return { row, show };
}

/**
 * @param {import("./channel_choice.js").ChannelChoice} choice
 * @param {string} words
 * @param {string} name of the channel
 * @param {(value: number) => void} take
 */
function edge(choice, words, name, take) {
  const { most } = choice.channels;
  const label = t("{words}, {name}", { words, name });
  const span = { min: 0, max: most, step: 1, "aria-label": label };
  const slider = h("input", {
    ...span,
    type: "range",
    "aria-valuetext": "",
    oninput: () => take(slider.valueAsNumber),
  });
  const exact = h("input", { ...span, type: "number", onchange: () => take(exact.valueAsNumber) });
  const line = h("div", { class: "channel-edge" }, h("span", {}, words), slider, exact);
  /** @param {number} value */
  const show = (value) => {
    slider.value = exact.value = String(value);
    slider.setAttribute("aria-valuetext", t("grey level {value} of {most}", { value: number(value), most: number(most) }));
  };
  return { line, show };
}

/** @param {import("./types.js").Channel} channel */
function light({ emission_nm, excitation_nm }) {
  const waves = [excitation_nm, emission_nm].filter((wave) => wave !== null);
  return waves.length === 0 ? "" : `${waves.map((wave) => number(Number(wave))).join(" → ")} nm`;
}
