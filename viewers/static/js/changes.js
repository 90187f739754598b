/** Server-Sent Events: tell the screen that something changed, and say when the line is cut. */
import { ApiError, getJson, signinAddress } from "./api.js";
import { h, icon } from "./dom.js";
import { exactTime } from "./format.js";
import { t } from "./i18n.js";

const QUIET_MS = 250;
const GRACE_MS = 4_000;

/**
 * @param {string[]} kinds which changes matter here: "slides", "intake", "processes"
 * @param {() => void} changed called once after a burst, and when the line is there (again)
 * @param {AbortSignal} signal
 * @param {string} [accession] of the one case that is open: its changes are told as "case"
 * @param {string} [slideId] of the one slide that is open: what is drawn on it is told as "annotations"
 */
export function subscribe(kinds, changed, signal, accession, slideId) {
  const line = connectionLine(signal);
  let timer = 0;
  // What happens to a case between the page's first look and the line was told to nobody: ask
  // again when the line is there. A slide alone does not change, and far readers pay for asking.
  let stale = accession !== undefined || kinds.includes("cases");
  /** @type {EventSource | null} */
  let source = null;
  const soon = () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(changed, QUIET_MS);
  };
  const open = () => {
    const asked = new URLSearchParams({ ...(accession && { case: accession }), ...(slideId && { slide: slideId }) });
    source = new EventSource(`/api/v1/changes${asked.size ? `?${asked}` : ""}`);
    source.addEventListener("change", (event) => {
      const { what } = JSON.parse(event.data);
      if (kinds.includes(what)) soon();
      document.dispatchEvent(new CustomEvent("server-change", { detail: what }));
    });
    source.addEventListener("open", () => {
      line.restored();
      if (stale) soon();
      stale = false;
    });
    source.addEventListener("error", () => {
      stale = true;
      line.lost();
    });
  };
  const close = () => {
    source?.close();
    source = null;
    window.clearTimeout(timer);
  };
  // A hidden tab gives its line back: a browser has only six to one server over HTTP/1.1.
  const follow = () => {
    if (document.hidden) {
      close();
      stale = true;
    } else if (source === null) open();
  };
  follow();
  document.addEventListener("visibilitychange", follow, { signal });
  signal.addEventListener("abort", close);
}

/**
 * The words in the page's head while live changes do not come through.
 * @param {AbortSignal} signal
 */
function connectionLine(signal) {
  const place = document.getElementById("connection");
  let timer = 0;
  let since = "";
  return {
    lost() {
      if (since) return;
      since = new Date().toISOString();
      timer = window.setTimeout(() => {
        if (!place || signal.aborted) return;
        const words = t("No live changes since {time}. What you see may be old.", { time: exactTime(since) });
        place.replaceChildren(icon("unplug"), h("span", {}, words));
        place.hidden = false;
        void leaveIfSignedOut(signal);
      }, GRACE_MS);
    },
    restored() {
      window.clearTimeout(timer);
      since = "";
      if (place) place.hidden = true;
    },
  };
}

/** @param {AbortSignal} signal */
async function leaveIfSignedOut(signal) {
  try {
    await getJson("/api/v1/me", signal);
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) location.assign(signinAddress());
  }
}
