/** Entering a case by hand: checked while typing, sent once, answered with its numbers. */
import { getJson } from "./api.js";
import { showEntered } from "./case_new_done.js";
import { watchIdentifier } from "./case_new_identifier.js";
import { PartsOfCase } from "./case_new_parts.js";
import { sendEntry } from "./case_new_send.js";
import { PRIORITIES, specimenClass } from "./case_words.js";
import { h, icon } from "./dom.js";
import { t } from "./i18n.js";
import { keysDialog } from "./keys_dialog.js";
import { element } from "./page.js";
import { refusalWords } from "./refusal_words.js";

const leaving = new AbortController();
const { signal } = leaving;
window.addEventListener("pagehide", (event) => event.persisted || leaving.abort());

const form = /** @type {HTMLFormElement} */ (element("entry"));
const save = /** @type {HTMLButtonElement} */ (element("save"));
const parts = new PartsOfCase(element("parts"));
const identifier = watchIdentifier(form, element("identifier-said"), signal);
let key = newKey();

for (const select of form.querySelectorAll("select[data-codes]")) {
  if (!(select instanceof HTMLSelectElement)) continue;
  const words = select.dataset.words === "priorities" ? priorityWord : specimenClass;
  for (const code of (select.dataset.codes ?? "").split(" ")) select.append(h("option", { value: code }, words(code)));
}

/** What colleagues read is what the routing knows. */
async function offerSubspecialties() {
  /** @type {import("./types_case.js").Colleague[]} */
  const colleagues = await getJson("/api/v1/colleagues", signal);
  const known = new Set(colleagues.flatMap((at) => at.subspecialties));
  element("subspecialties").replaceChildren(...[...known].sort().map((value) => h("option", { value })));
}

/** @param {string} code */
function priorityWord(code) {
  return PRIORITIES[/** @type {import("./types_case.js").Priority} */ (code)].word;
}

/** Names an entry, so that sending it again after a broken line makes no second case. */
function newKey() {
  return crypto.randomUUID?.() ?? `${Date.now()}-${Math.random().toString(36).slice(2)}`;
}

function answers() {
  const data = new FormData(form);
  const text = (/** @type {string} */ name) => String(data.get(name) ?? "").trim();
  return {
    identifier: text("identifier"),
    kind: text("kind"),
    name: text("name"),
    birth_date: text("kind") === "cpr" || text("birth_date") === "" ? null : text("birth_date"),
    requester: text("requester"),
    priority: text("priority"),
    specimen_class: text("specimen_class"),
    subspecialty: text("subspecialty"),
    accession: text("accession"),
    clinical_information: text("clinical_information"),
    language: document.documentElement.lang === "en" ? "en" : "da",
    ...parts.answers(),
    key,
  };
}

async function send() {
  if (save.disabled) return;
  const empty = [...form.querySelectorAll("input[required]")].find((input) => input instanceof HTMLInputElement && input.value.trim() === "");
  if (empty instanceof HTMLInputElement) return complain(t("Still missing: {field}.", { field: labelOf(empty) }), empty);
  element("complaint").hidden = true;
  save.disabled = true;
  try {
    const told = await sendEntry(answers(), signal);
    form.hidden = true;
    showEntered(element("entered"), told, again);
  } catch (error) {
    if (!signal.aborted) complain(refusalWords(error), save);
  } finally {
    save.disabled = false;
  }
}

function again() {
  key = newKey();
  form.reset();
  parts.reset();
  identifier.forget();
  form.hidden = false;
  element("entered").hidden = true;
  focusOn("identifier");
}

/** @param {string} name */
function focusOn(name) {
  const field = form.elements.namedItem(name);
  if (field instanceof HTMLElement) field.focus();
}

/** @param {HTMLInputElement} input */
function labelOf(input) {
  return input.labels?.[0]?.firstChild?.textContent?.trim() ?? input.name;
}

/**
 * @param {string} words
 * @param {HTMLElement} at
 */
function complain(words, at) {
  const place = element("complaint");
  place.replaceChildren(icon("circle-alert"), h("span", {}, words));
  place.hidden = false;
  at.focus();
}

offerSubspecialties().catch(() => {}); // only a help
const toggleKeys = keysDialog([
  [["Ctrl+Enter"], t("Enter the case")],
  [["Alt+G"], t("Another glass")],
  [["Alt+P"], t("Another part")],
  [["Tab"], t("Next field")],
  [["?"], t("Keys")],
]);
element("keys").addEventListener("click", toggleKeys);
element("add-part").addEventListener("click", () => parts.add());
form.addEventListener("submit", (event) => {
  event.preventDefault();
  void send();
});
document.addEventListener(
  "keydown",
  (event) => {
    const typing = event.target instanceof Element && event.target.closest("input, textarea, select");
    if (form.hidden) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void send();
    else if (event.key === "Enter" && event.target instanceof HTMLInputElement) parts.enterIn(event.target);
    else if (event.altKey && event.code === "KeyP") parts.add();
    else if (event.altKey && event.code === "KeyG") parts.addGlass(event.target);
    else if (event.key === "?" && !typing) toggleKeys();
    else return;
    event.preventDefault();
  },
  { signal },
);
