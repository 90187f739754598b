/** What must be seen with the panel closed, too: not fetched, not saved, hidden, thinned out, deleted. */
import { h, icon } from "./dom.js";
import { number } from "./format.js";
import { t } from "./i18n.js";
import { element } from "./page.js";

const UNDO_MS = 12_000;

/**
 * @param {import("./annotation_store.js").AnnotationStore} store
 * @param {import("./annotation_groups.js").AnnotationGroups} groups
 */
export function startNotices(store, groups) {
  const place = element("annotation-notice");
  const share = element("annotation-share");
  let [latest, until] = ["", 0];
  const show = () => {
    const notice = noticeOf(store, store.gone.has(latest) && Date.now() < until);
    place.hidden = notice === null;
    const key = notice?.textContent ?? "";
    if (notice && place.dataset.shown !== key) place.replaceChildren(notice);
    place.dataset.shown = key;
  };
  store.addEventListener("change", () => {
    const last = [...store.gone.keys()].at(-1) ?? "";
    if (last !== latest) {
      [latest, until] = [last, Date.now() + UNDO_MS];
      window.setTimeout(show, UNDO_MS + 50);
    }
    show();
  });
  groups.tell = (found) => {
    const words = !found || store.hidden ? "" : shareWords(found);
    share.hidden = words === "";
    if (share.textContent !== words) share.textContent = words;
  };
}

/**
 * A gap on the screen may be thinning out or a missed finding: it is told which.
 * @param {import("./annotation_groups.js").Share} share
 */
function shareWords({ shown, of, dots }) {
  if (shown < of) return t("Thinned out: {shown} of {of} annotations shown as dots. Zoom in to see all.", { shown: number(shown), of: number(of) });
  return dots ? t("{of} annotations shown as dots", { of: number(of) }) : "";
}

/** @param {import("./annotation_store.js").AnnotationStore} store @param {boolean} deleted */
function noticeOf(store, deleted) {
  if (store.failed && !store.loaded) return line("circle-alert", "failed", t("The annotations could not be fetched"), t("Try again"), () => void store.load());
  const unsaved = [...store.saving.troubles.values()].filter(({ again }) => again);
  if (unsaved.length) return line("circle-alert", "failed", t("{count} annotations are not saved yet", { count: unsaved.length }), t("Try again"), () => unsaved.forEach(({ again }) => again?.()));
  if (store.hidden && store.items.size + store.groups.length) return line("eye-off", "attention", t("The annotations are hidden"), t("Show"), () => store.toggleHidden());
  return deleted ? line("trash-2", "", t("The annotation is deleted"), t("Undo"), () => void store.undo()) : null;
}

/** @param {string} name @param {string} tone @param {string} words @param {string} action @param {() => void} act */
function line(name, tone, words, action, act) {
  return h("p", { class: tone }, icon(name), h("span", {}, words), h("button", { class: "button small", type: "button", onclick: act }, action));
}
