/** What else can be done with one glass, in a menu beside it. */
import { h, icon } from "./dom.js";
import { t } from "./i18n.js";
import { cancelGlass, expectAnother, glassOnly, markStained, rescan } from "./lab_acts.js";

/** @typedef {import("./types_lab.js").LabGlass} LabGlass */
/** @typedef {import("./lab_acts.js").Acting} Acting */
/** @typedef {{open: (at: HTMLElement, barcode: string) => void, act: (name: string, glass: LabGlass) => void, of: (look: (barcode: string | undefined) => LabGlass | undefined) => void}} GlassMenu */

const TO_STAIN = ["expected", "printed"];
const AGAIN = ["available", "flagged", "checking", "failed", "glass_only", "archived"];
const TO_GLASS = ["expected", "printed", "stained", "rescan", "failed", "queued", "flagged", "checking"];
const TO_SCAN = ["expected", "printed", "stained", "rescan", "failed", "queued"];

/**
 * @param {import("./lab_scan.js").ScanField} scan
 * @param {() => void} changed
 * @param {AbortSignal} signal
 * @returns {GlassMenu}
 */
export function glassMenu(scan, changed, signal) {
  const list = h("div", { class: "menu glass-menu", popover: "auto", role: "menu" });
  document.body.append(list);
  /** @type {Acting} */
  const acting = { changed, signal };
  /** @type {(barcode: string | undefined) => LabGlass | undefined} */
  let glassOf = () => undefined;
  list.addEventListener("keydown", (event) => step(list, event));

  /** @type {Record<string, [string[], string, string, (glass: LabGlass) => unknown]>} states, icon, words, act */
  const acts = {
    scan: [TO_SCAN, "barcode", t("Scan"), (glass) => scan.fill(glass.barcode)],
    stained: [TO_STAIN, "check", t("Mark as stained"), (glass) => markStained(glass, acting)],
    rescan: [AGAIN, "refresh-cw", t("Scan again …"), (glass) => rescan(glass, acting)],
    glass: [TO_GLASS, "circle-dot", t("Read as glass only …"), (glass) => glassOnly(glass, acting)],
    another: [[], "plus", t("Expect another glass …"), (glass) => expectAnother(glass, acting)],
    cancel: [TO_SCAN, "circle-x", t("The glass is not coming …"), (glass) => cancelGlass(glass, acting)],
  };

  return {
    of: (look) => void (glassOf = look),
    act: (name, glass) => {
      const found = acts[name];
      if (found && isPossible(found[0], glass)) void found[3](glass);
    },
    open: (at, barcode) => {
      const glass = glassOf(barcode);
      if (!glass) return;
      const possible = Object.values(acts).filter(([states]) => isPossible(states, glass));
      const look = glass.slide_id && h("a", { class: "menu-entry", role: "menuitem", href: `/slides/${encodeURIComponent(glass.slide_id)}` }, icon("search"), t("Look at the image"));
      const entries = possible.map(([, name, words, act]) => entry(name, words, () => (list.hidePopover(), void act(glass))));
      list.replaceChildren(...(look ? [look] : []), ...entries);
      list.setAttribute("aria-label", barcode);
      list.showPopover();
      place(list, at);
    },
  };
}

/** @param {string[]} states @param {LabGlass} glass */
function isPossible(states, glass) {
  return states.length === 0 || states.includes(glass.state);
}

/**
 * @param {string} name
 * @param {string} words
 * @param {() => void} act
 */
function entry(name, words, act) {
  return h("button", { class: "menu-entry", type: "button", role: "menuitem", onclick: act }, icon(name), words);
}

/** Below the button, or above it where there is no room. @param {HTMLElement} list @param {HTMLElement} at */
function place(list, at) {
  const box = at.getBoundingClientRect();
  const below = box.bottom + list.offsetHeight < innerHeight;
  list.style.top = `${below ? box.bottom : Math.max(4, box.top - list.offsetHeight)}px`;
  list.style.right = `${document.documentElement.clientWidth - box.right}px`;
  const first = list.querySelector(".menu-entry");
  if (first instanceof HTMLElement) first.focus();
}

/** @param {HTMLElement} list @param {KeyboardEvent} event */
function step(list, event) {
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!by) return;
  const entries = [...list.querySelectorAll(".menu-entry")];
  const next = entries.at((entries.indexOf(/** @type {Element} */ (document.activeElement)) + by) % entries.length);
  if (next instanceof HTMLElement) next.focus();
  event.preventDefault();
}
