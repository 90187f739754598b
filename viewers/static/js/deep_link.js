/** `#x=…&y=…&z=…&r=…&c=…`: the view in the address, so that it can be sent to a colleague. */

const QUIET_MS = 200;

/** @typedef {import("./microscope.js").View} View */

/**
 * @param {string} fragment with or without its #
 * @returns {View | null} null when it does not name a view
 */
export function readFragment(fragment) {
  const values = new URLSearchParams(fragment.replace(/^#/, ""));
  const [x, y, downsample] = ["x", "y", "z"].map((name) => finite(values.get(name)));
  if (x === undefined || y === undefined || downsample === undefined || downsample <= 0) return null;
  return { x, y, downsample, rotation: finite(values.get("r")) ?? 0, flipped: values.get("f") === "1" };
}

/**
 * @param {View} view
 * @param {string | null} [channels] how a fluorescence slide is shown, null for its own way
 */
export function writeFragment(view, channels = null) {
  const parts = [
    `x=${view.x.toFixed(2)}`,
    `y=${view.y.toFixed(2)}`,
    `z=${Number(view.downsample.toPrecision(8))}`,
    `r=${Number(view.rotation.toFixed(3))}`,
  ];
  if (view.flipped) parts.push("f=1");
  if (channels !== null) parts.push(`c=${channels}`);
  return `#${parts.join("&")}`;
}

/**
 * Honour the address now and whenever it changes; keep it up to date with the view.
 * @param {import("./microscope.js").Microscope} microscope
 * @param {import("./channel_choice.js").ChannelChoice | null} channels
 * @param {AbortSignal} signal
 */
export function startDeepLink(microscope, channels, signal) {
  let timer = 0;
  const apply = () => {
    const view = readFragment(location.hash);
    if (view) microscope.show(view);
    channels?.read(new URLSearchParams(location.hash.slice(1)).get("c"));
  };
  const write = () => {
    const fragment = writeFragment(microscope.view(), channels?.text());
    if (fragment !== location.hash) history.replaceState(history.state, "", fragment);
  };
  const soon = () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(write, QUIET_MS);
  };
  apply();
  channels?.addEventListener("change", soon, { signal });
  window.addEventListener("hashchange", apply, { signal });
  for (const event of /** @type {const} */ (["pan", "zoom", "rotate", "flip", "resize"])) {
    microscope.viewer.addHandler(event, soon);
  }
}

/** @param {string | null} text */
function finite(text) {
  if (text === null || text.trim() === "") return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}
