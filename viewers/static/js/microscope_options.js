/** How OpenSeadragon is set up for a slide. */
import { SMALLEST_DOWNSAMPLE } from "./optics.js";
import { LEAST_PIXEL_RATIO, directTileSource } from "./tile_source.js";

const MOVE_SECONDS = 0.12;
/** More than a far line carries in one round trip, not much more: what has been asked for comes. */
const REQUESTS_AT_ONCE = 40;
/** A browser opens six connections to one server over HTTP/1.1; the rest would wait out of reach. */
const REQUESTS_AT_ONCE_HTTP_1 = 12;
/** Nothing else is wanted than the first view: all of it is asked for in one go. */
const REQUESTS_AT_FIRST = 200;
const DRAWERS = ["webgl", "canvas"];
const IMITATIONS = /SwiftShader|llvmpipe|softpipe|Basic Render|Software/i;

/**
 * OpenSeadragon writes a style element, which our CSP forbids, unless it finds it there already.
 * An element of that name in no namespace is found and styles nothing; viewer.css has the rule.
 */
export function forestallInlineStyle() {
  const style = document.createElementNS(null, "style");
  style.setAttribute("data-openseadragon-mobile-css", "true");
  document.head.append(style);
}

/**
 * @param {HTMLElement} canvas
 * @param {HTMLElement} navigator
 * @param {import("./types.js").Slide} slide
 * @returns {OpenSeadragon.Options}
 */
export function microscopeOptions(canvas, navigator, slide) {
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  return {
    element: canvas,
    tileSources: /** @type {any} */ (directTileSource(slide)),
    ...drawer(),
    navigatorDrawer: /** @type {any} */ ("canvas"),
    animationTime: still ? 0 : MOVE_SECONDS,
    springStiffness: 8,
    blendTime: 0,
    maxZoomPixelRatio: 1 / SMALLEST_DOWNSAMPLE,
    minZoomImageRatio: 0.6,
    minPixelRatio: LEAST_PIXEL_RATIO,
    visibilityRatio: 0.4,
    preserveImageSizeOnResize: true,
    imageLoaderLimit: multiplexed() ? REQUESTS_AT_FIRST : REQUESTS_AT_ONCE_HTTP_1,
    maxImageCacheCount: 1500,
    maxTilesPerFrame: 64,
    tileRetryMax: 2,
    tileRetryDelay: 1000,
    preload: false,
    showNavigationControl: false,
    keyboardNavEnabled: false,
    gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true },
    gestureSettingsPen: { clickToZoom: false, dblClickToZoom: true },
    gestureSettingsTouch: { pinchRotate: false },
    showNavigator: true,
    navigatorElement: navigator,
    tabIndex: -1,
    navigatorBackground: "transparent",
    navigatorOpacity: 1,
    navigatorDisplayRegionColor: "#0b7fd0",
    placeholderFillStyle: "#23282e",
  };
}

/**
 * For all views after the first.
 * @param {OpenSeadragon.Viewer} viewer
 */
export function limitRequests(viewer) {
  /** @type {OpenSeadragon.ImageLoader & {jobLimit?: number}} */
  const loader = viewer.imageLoader;
  loader.jobLimit = multiplexed() ? REQUESTS_AT_ONCE : REQUESTS_AT_ONCE_HTTP_1;
}

/** Whether many requests share one connection (HTTP/2, HTTP/3), as far as the page itself tells. */
export function multiplexed() {
  const [page] = performance.getEntriesByType("navigation");
  return page instanceof PerformanceNavigationTiming && /^h[23]/.test(page.nextHopProtocol);
}

/**
 * `?drawer=` decides, else OpenSeadragon does. Where WebGL is only imitated by the processor (remote
 * desktops, no graphics card) the plain canvas is several times faster.
 */
function drawer() {
  const wanted = new URLSearchParams(location.search).get("drawer") ?? "";
  if (DRAWERS.includes(wanted)) return { drawer: /** @type {any} */ (wanted) };
  return graphicsCardDraws() ? {} : { drawer: /** @type {any} */ ("canvas") };
}

function graphicsCardDraws() {
  const probe = document.createElement("canvas").getContext("webgl2", { failIfMajorPerformanceCaveat: true });
  if (probe === null) return false;
  const names = probe.getExtension("WEBGL_debug_renderer_info")?.UNMASKED_RENDERER_WEBGL ?? probe.RENDERER;
  const renderer = String(probe.getParameter(names));
  probe.getExtension("WEBGL_lose_context")?.loseContext();
  return !IMITATIONS.test(renderer);
}
