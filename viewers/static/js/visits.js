/** When each case was last on this browser's screen, so that what came since can be marked. */

const KEY = "svartid.visits";
const MOST = 400;

/** @returns {Record<string, string>} times by accession number, oldest first */
function visits() {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "{}");
  } catch {
    return {};
  }
}

/** @param {string} accession */
export function markVisit(accession) {
  const { [accession]: _, ...others } = visits();
  const kept = Object.entries(others).slice(1 - MOST);
  try {
    localStorage.setItem(KEY, JSON.stringify(Object.fromEntries([...kept, [accession, new Date().toISOString()]])));
  } catch {
    // Without room or leave to store, the mark merely stays.
  }
}

/**
 * Whether an image has come since the case was opened, and since it was last looked at from here.
 * @param {{accession: string, opened_at: string | null, newest_image_at: string | null}} line
 */
export function hasNewImage({ accession, opened_at: opened, newest_image_at: newest }) {
  if (!opened || !newest) return false;
  const last = visits()[accession] ?? opened;
  return Date.parse(newest) > Math.max(Date.parse(last), Date.parse(opened));
}
