/** The keys of the radiology page, in words. */
import { t } from "./i18n.js";

/** @returns {import("./keys_dialog.js").KeyLine[]} */
export function keyLines() {
  return [
    [["↑", "↓"], t("Previous, next image (also the wheel)")],
    [["PgUp", "PgDn"], t("Ten images back, on")],
    [["Home", "End"], t("First, last image")],
    [["[", "]"], t("Previous, next series")],
    [["Space"], t("Play or stop")],
    [["<", ">"], t("Slower, faster")],
    [["1", "…", "9"], t("Window: from the file, then presets")],
    [["w", "p", "z", "m"], t("Drag for window, moving, zoom, length")],
    [["m", "Enter"], t("Length without the mouse: arrows move the cross, Enter sets a point")],
    [["Del"], t("Take away the last length")],
    [["i"], t("Invert")],
    [["+", "-"], t("Closer, further away")],
    [["0", "x"], t("Whole image, one to one")],
    [["Shift", "←↑↓→"], t("Move")],
    [["r", "R"], t("Rotate right, left")],
    [["f", "F"], t("Flip left to right, upside down")],
    [["o"], t("Show or hide the file's overlays")],
    [["e"], t("As it opened")],
    [["t"], t("Show or hide the series")],
    [["Esc"], t("Back to the case")],
    [["?"], t("Keys")],
  ];
}
