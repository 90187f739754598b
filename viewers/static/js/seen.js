/** Which images have been looked at in this browser, so that a new one can be marked as new. */

const KEY = "svartid.seen";
const MOST = 800;

/** @returns {Set<string>} slide ids */
export function seenSlides() {
  try {
    return new Set(JSON.parse(localStorage.getItem(KEY) ?? "[]"));
  } catch {
    return new Set();
  }
}

/** @param {string} slideId */
export function markSeen(slideId) {
  const seen = seenSlides();
  seen.delete(slideId);
  seen.add(slideId);
  try {
    localStorage.setItem(KEY, JSON.stringify([...seen].slice(-MOST)));
  } catch {
    // Without room or leave to store, everything merely stays marked as new.
  }
}
