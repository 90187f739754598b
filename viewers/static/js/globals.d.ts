/** Libraries that come as plain scripts, and what the tests may reach. */
import type * as tusTypes from "../vendor/tus-js-client-4.3.1/index.js";
import type OpenSeadragonTypes from "../vendor/openseadragon-6.1.1/index.js";

declare global {
  const tus: typeof tusTypes;
  interface Window {
    svartid?: { viewer?: OpenSeadragonTypes.Viewer; imaging?: import("./imaging_page.js").Page };
    echarts: { init(place: HTMLElement, theme: null, options: { renderer: "svg" }): import("./charts.js").Chart };
  }
}
