/** Why a file could not be imported, as a sentence that says what can be done. */
import { ApiError } from "./api.js";
import { t } from "./i18n.js";
import { refusalWords } from "./refusal_words.js";

/** @type {Record<string, string>} */
const REASONS = {
  empty: t("The file is empty."),
  not_json: t("The file ends too early, or is neither GeoJSON nor DICOM."),
  not_geojson: t("The file is neither GeoJSON nor DICOM."),
  feature_expected: t("Something in the file is no GeoJSON feature."),
  feature_too_large: t("One shape in the file is too large."),
  too_many: t("The file holds more than a million annotations. Split it."),
  shape_empty: t("A shape has no points."),
  shape_malformed: t("A shape is written in a way svartid does not understand."),
  shape_too_few_points: t("A shape has too few points."),
  shape_too_many_points: t("A shape has too many points."),
  shape_out_of_bounds: t("A shape lies far outside any slide. Are the coordinates pixels?"),
  shape_unknown: t("A shape is of a kind svartid does not know."),
  unsupported_dicom: t("This kind of DICOM object holds no annotations that svartid can read."),
  damaged: t("The DICOM object makes no sense."),
  too_large: t("The file is too large. Split it."),
};

/** @param {unknown} error */
export function importWords(error) {
  if (!(error instanceof ApiError) || error.status === 0) return refusalWords(error);
  const [what = "", number] = (error.reason || error.code).split("@");
  const words = REASONS[what];
  if (!words) return refusalWords(error);
  return number ? t("Shape {number}: {why} Nothing was imported.", { number, why: words }) : t("{why} Nothing was imported.", { why: words });
}
