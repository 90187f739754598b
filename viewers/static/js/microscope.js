/** The OpenSeadragon viewer for one slide, and the few moves all controls share. */
import { forestallInlineStyle, limitRequests, microscopeOptions } from "./microscope_options.js";
import { drawTilesSharp } from "./sharp_drawer.js";

const PAN_SHARE = 0.15;

/** @typedef {{x: number, y: number, downsample: number, rotation: number, flipped: boolean}} View centre in level-0 pixels */

/** One slide under the microscope. */
export class Microscope {
  /**
   * @param {HTMLElement} canvas
   * @param {HTMLElement} navigator
   * @param {import("./types.js").Slide} slide
   */
  constructor(canvas, navigator, slide) {
    this.slide = slide;
    this.canvas = canvas;
    forestallInlineStyle();
    drawTilesSharp();
    this.viewer = OpenSeadragon(microscopeOptions(canvas, navigator, slide));
    /** Settled once the slide is in place and can be moved. */
    this.opened = new Promise((resolve) => this.viewer.addOnceHandler("open", () => resolve(undefined)));
    /** Settled once the first view is whole: until then nothing else should use the line. */
    this.drawn = new Promise((resolve) => this.viewer.addOnceHandler("fully-loaded-change", () => resolve(undefined)));
    for (const event of /** @type {const} */ (["pan", "zoom"])) {
      this.viewer.addHandler(event, () => this.#leaveView());
    }
  }

  /** Tiles of a view already left, not asked for yet, would come before those of the new one. */
  #leaveView() {
    limitRequests(this.viewer);
    this.viewer.imageLoader.clear();
  }

  get viewport() {
    return this.viewer.viewport;
  }

  /** @returns {View} where the view is going, not where the animation is */
  view() {
    const centre = this.viewport.getCenter();
    return {
      x: centre.x * this.slide.width,
      y: centre.y * this.slide.width,
      downsample: this.#downsample(this.viewport.getZoom()),
      rotation: ((this.viewport.getRotation() % 360) + 360) % 360,
      flipped: this.viewport.getFlip(),
    };
  }

  /** @param {View} view */
  show({ x, y, downsample, rotation, flipped }) {
    this.viewport.setFlip(flipped);
    this.viewport.setRotation(rotation, true);
    this.viewport.zoomTo(this.#zoom(downsample), undefined, true);
    this.viewport.panTo(new OpenSeadragon.Point(x / this.slide.width, y / this.slide.width), true);
    this.viewport.applyConstraints(true);
  }

  /** Where the animation is now: what is on the screen. */
  currentDownsample() {
    return this.#downsample(this.viewport.getZoom(true));
  }

  /** @param {number} downsample */
  zoomToDownsample(downsample) {
    this.viewport.zoomTo(this.#zoom(downsample));
    this.viewport.applyConstraints();
  }

  /** @param {number} factor */
  zoomBy(factor) {
    this.viewport.zoomBy(factor);
    this.viewport.applyConstraints();
  }

  /**
   * By shares of what is seen, in the directions of the screen however the slide is turned.
   * @param {number} right
   * @param {number} down
   */
  pan(right, down) {
    const size = this.viewport.getContainerSize();
    const step = PAN_SHARE * Math.min(size.x, size.y);
    const pixels = new OpenSeadragon.Point((this.viewport.getFlip() ? -right : right) * step, down * step);
    this.viewport.panBy(this.viewport.deltaPointsFromPixels(pixels));
    this.viewport.applyConstraints();
  }

  /** @param {number} degrees clockwise on the screen */
  rotate(degrees) {
    const turn = this.viewport.getFlip() ? -degrees : degrees;
    this.viewport.setRotation(this.viewport.getRotation() + turn);
  }

  flip() {
    this.viewport.toggleFlip();
  }

  home() {
    this.viewport.goHome();
  }

  /**
   * The place on the slide, in level-0 pixels.
   * @param {{x: number, y: number}} pixel in the viewer's element
   */
  positionAt({ x, y }) {
    const fromLeft = this.viewport.getFlip() ? this.viewport.getContainerSize().x - x : x;
    const point = this.viewport.pointFromPixel(new OpenSeadragon.Point(fromLeft, y), true);
    return { x: point.x * this.slide.width, y: point.y * this.slide.width };
  }

  /** @param {number} zoom */
  #downsample(zoom) {
    return this.slide.width / (zoom * this.viewport.getContainerSize().x);
  }

  /** @param {number} downsample */
  #zoom(downsample) {
    return this.slide.width / (downsample * this.viewport.getContainerSize().x);
  }
}
