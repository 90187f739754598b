/** Annotations as files: out as GeoJSON or DICOM, in from either. */
import { importWords } from "./annotation_import_words.js";
import { ApiError, signinAddress } from "./api.js";
import { h, icon } from "./dom.js";
import { number } from "./format.js";
import { t } from "./i18n.js";
import { refusalWords } from "./refusal_words.js";

/** @type {[string, string][]} */
const FORMS = [
  ["geojson", t("GeoJSON (QuPath)")],
  ["ann", t("DICOM annotations")],
  ["sr", t("DICOM measurement report")],
  ["seg", t("DICOM masks")],
];

/** @param {import("./annotation_store.js").AnnotationStore} store */
export function fileMenu(store) {
  const said = h("p", { class: "annotation-said", role: "status" });
  const file = h("input", { type: "file", class: "visually-hidden", tabindex: "-1", "aria-hidden": "true", accept: ".json,.geojson,.dcm,application/geo+json,application/dicom" });
  const bring = h("button", { class: "button small", type: "button", onclick: () => file.click() }, icon("upload"), t("Import a file"));
  const links = FORMS.map(([form, words]) => h("button", { class: "menu-entry", type: "button", onclick: () => void fetchFile(store, form, said, choice) }, words));
  const choice = h("div", { class: "menu", id: "annotation-forms", popover: "auto" }, ...links);
  const out = h("button", { class: "button small", type: "button", popovertarget: "annotation-forms" }, icon("download"), t("Export"));
  choice.addEventListener("toggle", () => placeAbove(choice, out));
  const menu = h("footer", { class: "annotation-files" }, out, bring, file, choice, said);
  file.addEventListener("change", async () => {
    const [chosen] = file.files ?? [];
    if (!chosen) return;
    bring.disabled = true;
    said.className = "annotation-said";
    said.textContent = t("Importing {name} …", { name: chosen.name });
    try {
      said.textContent = takenWords(await send(store, chosen));
      await store.load();
    } catch (error) {
      said.className = "annotation-said failed";
      said.textContent = importWords(error);
    } finally {
      bring.disabled = false;
      file.value = "";
    }
  });
  /** @param {boolean} some */
  const show = (some) => {
    out.hidden = !some;
    bring.hidden = !store.may.annotate;
  };
  return { menu, show };
}

/**
 * Fetched before it is saved, so that a refusal is told in words.
 * @param {import("./annotation_store.js").AnnotationStore} store
 * @param {string} form
 * @param {HTMLElement} said
 * @param {HTMLElement} choice
 */
async function fetchFile(store, form, said, choice) {
  choice.hidePopover();
  const address = `${store.address}/export?format=${form}`;
  said.className = "annotation-said";
  said.textContent = t("Making the file …");
  try {
    const answer = await fetch(address, { signal: store.signal }).catch(() => {
      throw new ApiError(0, address);
    });
    if (!answer.ok) throw await told(answer, address);
    const name = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition") ?? "")?.[1] ?? form;
    const url = URL.createObjectURL(await answer.blob());
    h("a", { href: url, download: name }).click();
    window.setTimeout(() => URL.revokeObjectURL(url), 60_000);
    said.textContent = t("{name} is made.", { name });
  } catch (error) {
    said.className = "annotation-said failed";
    said.textContent = refusalWords(error);
  }
}

/** @param {HTMLElement} menu @param {HTMLElement} button */
function placeAbove(menu, button) {
  const { left, top } = button.getBoundingClientRect();
  Object.assign(menu.style, { left: `${left}px`, top: `${top - menu.offsetHeight - 4}px`, right: "auto", bottom: "auto" });
}

/** @param {Response} answer @param {string} address */
async function told(answer, address) {
  const { error, reason } = await answer.json().catch(() => ({}));
  return new ApiError(answer.status, address, String(error ?? ""), String(reason ?? ""));
}

/**
 * A file may take as long as it takes.
 * @param {import("./annotation_store.js").AnnotationStore} store
 * @param {File} file
 */
async function send(store, file) {
  const address = `${store.address}/import?name=${encodeURIComponent(file.name.slice(0, 200))}`;
  const answer = await fetch(address, { method: "POST", body: file, signal: store.signal, headers: { "Content-Type": "application/octet-stream", "X-Svartid-Csrf": "1" } }).catch(() => {
    throw new ApiError(0, address);
  });
  if (answer.status === 401) location.assign(signinAddress());
  if (!answer.ok) throw await told(answer, address);
  return answer.json();
}

/** @param {{drawn: number, changed: number, known: number, newer_here: number, grouped: number}} taken */
function takenWords({ drawn, changed, known, newer_here: newer, grouped }) {
  const words = [
    drawn + grouped && t("{count} new", { count: number(drawn + grouped) }),
    changed && t("{count} changed", { count: number(changed) }),
    known && t("{count} known already", { count: number(known) }),
    newer && t("{count} newer here, left as they are", { count: number(newer) }),
  ].filter(Boolean);
  return words.join(", ") || t("The file holds no annotations.");
}
