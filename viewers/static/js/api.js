/** The JSON API: every call can be called off, and a lost sign-in leads to the sign-in page. */

const TIMEOUT_MS = 20_000;

/** An answer that is not a success. Status 0: no answer at all. */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {string} address
   * @param {string} [code] what kind of error, in a word
   * @param {string} [reason] of a refusal: why, in a word; `refusal_words.js` has its words
   */
  constructor(status, address, code = "", reason = "") {
    super(`${status} ${address}`);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.reason = reason;
  }
}

/**
 * @template T
 * @param {string} address
 * @param {AbortSignal} signal
 * @returns {Promise<T>}
 */
export async function getJson(address, signal) {
  const answer = await send(address, { headers: { Accept: "application/json" } }, signal);
  return answer.json();
}

/**
 * @param {string} address
 * @param {AbortSignal} signal
 */
export async function getBytes(address, signal) {
  const answer = await send(address, {}, signal);
  return answer.arrayBuffer();
}

/**
 * @param {string} address
 * @param {AbortSignal} signal
 */
export async function post(address, signal) {
  await send(address, { method: "POST", headers: { "X-Svartid-Csrf": "1" } }, signal);
}

/**
 * Say something and hear what came of it; an empty answer is null.
 * @param {"POST" | "PUT" | "DELETE"} method
 * @param {string} address
 * @param {unknown} body
 * @param {AbortSignal} signal
 * @param {RequestInit} [more]
 * @returns {Promise<any>}
 */
export async function sendJson(method, address, body, signal, more = {}) {
  const headers = { "Content-Type": "application/json", Accept: "application/json", "X-Svartid-Csrf": "1" };
  const answer = await send(address, { ...more, method, headers, body: JSON.stringify(body) }, signal);
  const text = await answer.text();
  return text === "" ? null : JSON.parse(text);
}

/** Where to sign in, and come back here. */
export function signinAddress() {
  const here = location.pathname + location.search + location.hash;
  return `/signin?next=${encodeURIComponent(here)}`;
}

/**
 * @param {string} address
 * @param {RequestInit} options
 * @param {AbortSignal} signal
 */
async function send(address, options, signal) {
  const both = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
  let answer;
  try {
    answer = await fetch(address, { ...options, signal: both });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new ApiError(0, address);
  }
  if (answer.status === 401) location.assign(signinAddress());
  if (!answer.ok) throw await refused(answer, address);
  return answer;
}

/**
 * @param {Response} answer
 * @param {string} address
 */
async function refused(answer, address) {
  try {
    const { error, reason } = await answer.json();
    return new ApiError(answer.status, address, String(error ?? ""), String(reason ?? ""));
  } catch {
    return new ApiError(answer.status, address);
  }
}
