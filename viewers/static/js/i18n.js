/** Texts in the reader's language. The key is the English text; a missing text stays English. */
import { language, version } from "./page.js";

/** @typedef {Record<string, string | number>} Values */

/** @type {Record<string, string | string[]>} */
const catalogue = await load();

async function load() {
  try {
    const address = `/static-catalogue/${language}.json?v=${version}`;
    const answer = await fetch(address, { signal: AbortSignal.timeout(10_000) });
    return answer.ok ? await answer.json() : {};
  } catch {
    return {};
  }
}

/**
 * @param {string} message
 * @param {Values} [values] what `{name}` in the text stands for
 */
export function t(message, values = {}) {
  const text = catalogue[message];
  return fill(typeof text === "string" ? text : message, values);
}

/**
 * One of two texts by count; `{count}` in it is the count.
 * @param {string} one
 * @param {string} many
 * @param {number} count
 */
export function tn(one, many, count) {
  const texts = catalogue[one];
  const pair = Array.isArray(texts) ? texts : [one, many];
  return fill(pair[count === 1 ? 0 : 1] ?? many, { count });
}

/**
 * @param {string} text
 * @param {Values} values
 */
function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}
