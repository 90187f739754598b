/** The panel of a fluorescence slide's channels; brightfield slides have none. */
import { getJson } from "./api.js";
import { ChannelChoice } from "./channel_choice.js";
import { startChannelLayer } from "./channel_layer.js";
import { channelRow } from "./channel_row.js";
import { h } from "./dom.js";
import { number } from "./format.js";
import { t } from "./i18n.js";
import { element } from "./page.js";

/**
 * @param {import("./microscope.js").Microscope} microscope
 * @param {AbortSignal} signal
 * @returns {ChannelChoice | null} null for brightfield
 */
export function startChannels(microscope, signal) {
  const { channels } = microscope.slide;
  if (!channels) return null;
  const choice = new ChannelChoice(channels);
  const rows = channels.list.map((_, at) => channelRow(choice, at));
  const said = h("p", { class: "channels-said", role: "status" });
  const auto = h("button", { class: "button", type: "button", title: t("Windows from what the field shows: 1 % black, 0.1 % full") }, t("Auto"));
  const reset = h("button", { class: "button quiet", type: "button", title: t("Windows and colours as the slide came"), onclick: () => choice.reset() }, t("Reset"));
  auto.addEventListener("click", autoWindows(microscope, choice, said, signal));
  choice.addEventListener("change", () => rows.forEach(({ show }) => show()), { signal });
  element("channels").replaceChildren(
    h("header", {}, h("h2", {}, t("Channels")), h("span", { class: "secondary" }, t("{bits} bit, grey levels 0 to {most}", { bits: channels.bits, most: number(channels.most) }))),
    h("ul", {}, ...rows.map(({ row }) => row)),
    h("footer", {}, auto, reset, said),
  );
  showPanel(true);
  element("channels-toggle").hidden = false;
  element("channels-toggle").addEventListener("click", toggleChannels, { signal });
  startChannelLayer(microscope, choice, signal);
  return choice;
}

/** Show or hide the panel, where there is one. */
export function toggleChannels() {
  if (!element("channels-toggle").hidden) showPanel(element("channels").hidden);
}

/** @param {boolean} shown */
function showPanel(shown) {
  element("channels").hidden = !shown;
  element("channels-toggle").setAttribute("aria-expanded", String(shown));
}

/**
 * @param {import("./microscope.js").Microscope} microscope
 * @param {ChannelChoice} choice
 * @param {HTMLElement} said where it is told when nothing could be found
 * @param {AbortSignal} signal
 */
function autoWindows(microscope, choice, said, signal) {
  let asked = new AbortController();
  return async () => {
    asked.abort();
    asked = new AbortController();
    const { signal: mine } = asked;
    try {
      /** @type {{windows: {low: number, high: number}[]}} */
      const { windows } = await getJson(windowsAddress(microscope), AbortSignal.any([signal, mine]));
      said.textContent = "";
      choice.setWindows(windows);
    } catch {
      if (!mine.aborted && !signal.aborted) said.textContent = t("The windows could not be found. Try again.");
    }
  };
}

/**
 * The field in level-0 pixels, as far as it lies on the slide.
 * @param {import("./microscope.js").Microscope} microscope
 */
function windowsAddress({ slide, viewer }) {
  const { x, y, width, height } = viewer.viewport.getBoundsNoRotate();
  const [left, right] = within(x, x + width, slide.width, slide.width);
  const [top, bottom] = within(y, y + height, slide.width, slide.height);
  const field = new URLSearchParams({ x: `${left}`, y: `${top}`, width: `${right - left}`, height: `${bottom - top}` });
  return `/api/v1/slides/${encodeURIComponent(slide.slide_id)}/windows?${field}`;
}

/**
 * @param {number} from
 * @param {number} to
 * @param {number} unit pixels that are 1 in the viewport
 * @param {number} most
 * @returns {[number, number]}
 */
function within(from, to, unit, most) {
  const start = Math.min(most - 1, Math.max(0, Math.floor(from * unit)));
  return [start, Math.min(most, Math.max(start + 1, Math.ceil(to * unit)))];
}
