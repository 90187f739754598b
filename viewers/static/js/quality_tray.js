/** Where the quality of each slide in the tray stands: icon and word. */
import { h, icon } from "./dom.js";
import { QUALITY_STATES } from "./quality_words.js";
import { element } from "./page.js";

/** @param {Record<string, import("./types_quality.js").QualityWord>} states by slide */
export function markTray(states) {
  for (const item of element("tray").querySelectorAll("a")) {
    const slideId = decodeURIComponent(item.getAttribute("href")?.split("/").at(-1) ?? "");
    const state = states[slideId];
    const known = item.querySelector(".tray-quality");
    if (!state) known?.remove();
    else if (known?.getAttribute("data-state") !== state) {
      const { tone, icon: name, word, hint } = QUALITY_STATES[state];
      const badge = h("span", { class: `tray-state tray-quality ${tone}`, "data-state": state, title: hint ?? word }, icon(name), h("span", {}, word));
      known?.remove();
      item.append(badge);
    }
  }
}
