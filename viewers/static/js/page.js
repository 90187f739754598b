/** What the server wrote into the page's head. */

/** @param {string} name */
function meta(name) {
  return document.querySelector(`meta[name="svartid-${name}"]`)?.getAttribute("content") ?? "";
}

export const language = document.documentElement.lang === "en" ? "en" : "da";
export const version = meta("version");
export const role = meta("role");
export const seesOps = role === "ops" || role === "administrator";
export const spriteAddress = new URL("../icons/sprite.svg", import.meta.url).pathname;

/**
 * An element the template promises.
 * @param {string} id
 * @returns {HTMLElement}
 */
export function element(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`The page lacks #${id}`);
  return found;
}
