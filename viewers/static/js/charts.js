/** Charts by Apache ECharts, drawn as SVG: they print, scale, and describe themselves in words. */

/**
 * What of ECharts is used here; its script stands in the page, and is not waited for.
 * @typedef {{setOption: (option: object, whole: boolean) => void, resize: () => void, on: (event: string, done: () => void) => void}} Chart
 */

const FONT = getComputedStyle(document.documentElement).fontFamily;

/** @type {Promise<void>} */
const loaded = new Promise((resolve) => {
  if (window.echarts) resolve();
  else document.getElementById("chart-library")?.addEventListener("load", () => resolve());
});

/** @type {Map<Element, Chart>} */
const charts = new Map();
const sizes = new ResizeObserver((entries) => {
  if (!matchMedia("print").matches) for (const { target } of entries) charts.get(target)?.resize();
});

/**
 * Draw, or draw anew, what `option` says; `description` is what those hear who do not see it.
 * @param {HTMLElement} place
 * @param {string} description
 * @param {object} option
 */
export async function draw(place, description, option) {
  await loaded;
  const chart = charts.get(place) ?? made(place);
  chart.setOption(
    {
      animation: false,
      aria: { enabled: true, label: { description } },
      textStyle: { fontFamily: FONT, color: colour("--ink") },
      ...option,
    },
    true,
  );
}

/** @param {HTMLElement} place */
function made(place) {
  /** @type {Chart} */
  const chart = window.echarts.init(place, null, { renderer: "svg" });
  chart.on("rendered", () => scalable(place));
  charts.set(place, chart);
  sizes.observe(place);
  return chart;
}

/** So that paper of any width can have it: the size drawn at becomes the picture's own. @param {Element} place */
function scalable(place) {
  const svg = place.querySelector("svg");
  if (svg) svg.setAttribute("viewBox", `0 0 ${svg.getAttribute("width")} ${svg.getAttribute("height")}`);
}

/**
 * A colour of the style sheet.
 * @param {string} name
 */
export function colour(name) {
  return getComputedStyle(document.querySelector(".turnaround") ?? document.body).getPropertyValue(name).trim();
}

/** What stands beside and below: thin, quiet. */
export function axis() {
  return {
    axisLine: { lineStyle: { color: colour("--line-strong") } },
    axisTick: { show: false },
    axisLabel: { color: colour("--ink-2"), fontSize: 12 },
    splitLine: { lineStyle: { color: colour("--line") } },
  };
}

/** Drawn into the picture: the page's headers forbid styles that come as text. */
export const TOOLTIP = { trigger: "axis", renderMode: "richText", axisPointer: { type: "none" }, confine: true };
