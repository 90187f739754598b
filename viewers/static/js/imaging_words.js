/** What modalities, objects without pictures, and spacings are called. */
import { localTime } from "./format.js";
import { t } from "./i18n.js";
import { language } from "./page.js";

/** @type {Record<string, string>} */
const MODALITIES = {
  CT: t("CT"),
  MR: t("MR"),
  CR: t("X-ray"),
  DX: t("X-ray"),
  MG: t("Mammography"),
  US: t("Ultrasound"),
  NM: t("Nuclear medicine"),
  PT: t("PET"),
  XA: t("Angiography"),
  RF: t("Fluoroscopy"),
  ES: t("Endoscopy"),
  IO: t("Dental X-ray"),
  PX: t("Panoramic X-ray"),
  OP: t("Ophthalmic photograph"),
  OT: t("Other"),
  SC: t("Captured image"),
  XC: t("Photograph"),
  GM: t("Microscopy"),
  SM: t("Slide"),
  SR: t("Structured report"),
  DOC: t("Document"),
  KO: t("Key images"),
  PR: t("Presentation state"),
  SEG: t("Segmentation"),
  ANN: t("Annotations"),
  REG: t("Registration"),
  RTDOSE: t("Radiation dose"),
  RTPLAN: t("Radiotherapy plan"),
  RTSTRUCT: t("Radiotherapy structures"),
  RTIMAGE: t("Radiotherapy image"),
  RTRECORD: t("Radiotherapy record"),
  ECG: t("ECG"),
};

/** @type {Record<string, string>} */
const WITHOUT_PICTURE = {
  RTPLAN: t("A radiotherapy plan: how beams are set, as figures. It holds no picture; it is shown in the planning system."),
  RTSTRUCT: t("Outlines drawn for radiotherapy on another series. They are shown in the planning system."),
  RTRECORD: t("A record of radiotherapy that was given, as figures. It holds no picture."),
  PR: t("How another series was last looked at: its window and its cut. The series itself is in the list."),
  KO: t("A list of images that somebody marked as important. The images are in their own series."),
  ECG: t("A recorded curve, no picture. It is shown in the ECG system."),
  REG: t("How two series lie on each other, as figures. It holds no picture."),
  ANN: t("Annotations on a slide. They are shown in the microscope."),
};

/** @type {Record<import("./types_imaging.js").SpacingOrigin, string>} */
const SPACINGS = {
  patient: t("mm in the patient"),
  calibrated: t("mm in the patient, calibrated"),
  estimated: t("mm, magnification estimated"),
  detector: t("mm at the detector: smaller in the patient"),
  film: t("mm on the scanned film"),
  ultrasound: t("mm, from the ultrasound's own scale"),
};

/** @type {Record<string, string>} as DICOM names them (PS3.16 annex L) */
const BODY_PARTS = {
  ABDOMEN: t("abdomen"),
  ANKLE: t("ankle"),
  BLADDER: t("bladder"),
  BRAIN: t("brain"),
  BREAST: t("breast"),
  CHEST: t("chest"),
  THORAX: t("chest"),
  COLON: t("colon"),
  ELBOW: t("elbow"),
  FOOT: t("foot"),
  HAND: t("hand"),
  HEAD: t("head"),
  HEART: t("heart"),
  HIP: t("hip"),
  KIDNEY: t("kidney"),
  KNEE: t("knee"),
  LIVER: t("liver"),
  LUNG: t("lung"),
  NECK: t("neck"),
  PANCREAS: t("pancreas"),
  PELVIS: t("pelvis"),
  PROSTATE: t("prostate"),
  SHOULDER: t("shoulder"),
  SKULL: t("skull"),
  SPINE: t("spine"),
  CSPINE: t("cervical spine"),
  LSPINE: t("lumbar spine"),
  TSPINE: t("thoracic spine"),
  THYROID: t("thyroid"),
  UTERUS: t("uterus"),
  WHOLEBODY: t("whole body"),
  WRIST: t("wrist"),
};

/** Series of which no small picture can be made. */
const SHEETS = new Set(["SR", "DOC", "KO", "PR", "REG", "RTPLAN", "RTSTRUCT", "RTRECORD", "ECG", "ANN", "PLAN"]);

/** Whether a small picture of the series is worth asking for. @param {string} modality */
export function hasThumbnail(modality) {
  return !SHEETS.has(modality);
}

/** @param {string} modality */
export function modalityWord(modality) {
  return MODALITIES[modality] ?? (modality || t("Other"));
}

/** @param {string} modality */
export function withoutPictureWords(modality) {
  return WITHOUT_PICTURE[modality] ?? t("These objects hold no picture that svartid shows. They are kept as they came.");
}

/** @param {import("./types_imaging.js").Spacing | null} spacing */
export function spacingWords(spacing) {
  return spacing ? SPACINGS[spacing.origin] : t("pixel size unknown: lengths in pixels");
}

/** What was asked for cannot be shown, and why. @param {unknown} error */
export function failureWords(error) {
  if (error instanceof RangeError) return t("The file ends before the picture does. It was received like that.");
  const status = Number(/** @type {{status?: number}} */ (error)?.status ?? -1);
  if (status === 403) return t("You do not have access here");
  if (status >= 0) return t("The picture could not be fetched");
  return t("The picture is stored in a way the browser cannot decode");
}

/** A part of the body; one without a word here as the file names it. @param {string} part */
export function bodyPartWord(part) {
  return BODY_PARTS[part.replaceAll(/[\s_]/g, "").toUpperCase()] ?? part.toLowerCase();
}

/** The day with its year, since images go back: `4.3.2026` or `2026-03-04`. @param {string} moment */
export function dayWithYear(moment) {
  const [day] = localTime(new Date(moment));
  const [year, month, date] = day.split("-");
  return language === "da" ? `${Number(date)}.${Number(month)}.${year}` : day;
}
