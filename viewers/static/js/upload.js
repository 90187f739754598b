/** Resumable uploads (tus): the button, the drop zone, and a line for each file. */
import { h, icon, setContent } from "./dom.js";
import { bytes } from "./format.js";
import { t } from "./i18n.js";
import { element } from "./page.js";

const ENDPOINT = "/api/v1/uploads";
const CHUNK_BYTES = 16 * 1024 * 1024;
const RETRY_DELAYS_MS = [0, 1_000, 3_000, 8_000, 20_000];
const DONE_LINE_MS = 6_000;

/**
 * @param {() => void} arrived a file is with the server
 * @param {AbortSignal} signal
 */
export function startUploads(arrived, signal) {
  const button = document.getElementById("upload");
  if (!button) return;
  const files = /** @type {HTMLInputElement} */ (element("upload-files"));
  button.addEventListener("click", () => files.click());
  files.addEventListener("change", () => {
    for (const file of files.files ?? []) void uploadFile(file, arrived, signal);
    files.value = "";
  });
  dropZone((file) => void uploadFile(file, arrived, signal));
}

/** @param {(file: File) => void} take */
function dropZone(take) {
  const zone = element("drop");
  /** @param {DragEvent} event */
  const holdsFiles = (event) => event.dataTransfer?.types.includes("Files") ?? false;
  document.addEventListener("dragover", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    zone.hidden = false;
  });
  zone.addEventListener("dragleave", () => (zone.hidden = true));
  document.addEventListener("drop", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    zone.hidden = true;
    for (const file of event.dataTransfer?.files ?? []) take(file);
  });
}

/**
 * @param {File} file
 * @param {() => void} arrived
 * @param {AbortSignal} signal
 */
async function uploadFile(file, arrived, signal) {
  const line = uploadLine(file);
  const upload = new tus.Upload(file, {
    endpoint: ENDPOINT,
    chunkSize: CHUNK_BYTES,
    retryDelays: RETRY_DELAYS_MS,
    removeFingerprintOnSuccess: true,
    headers: { "X-Svartid-Csrf": "1" },
    metadata: { filename: file.name, filetype: file.type },
    onProgress: (sent, all) => line.progress(sent, all),
    onSuccess: () => {
      line.done();
      arrived();
    },
    onError: () => line.failed(() => upload.start()),
  });
  line.cancelled(() => void upload.abort(true));
  signal.addEventListener("abort", () => void upload.abort());
  const [before] = await upload.findPreviousUploads();
  if (before) upload.resumeFromPreviousUpload(before);
  upload.start();
}

/** @param {File} file */
function uploadLine(file) {
  const bar = h("progress", { max: 1, value: 0, "aria-label": t("Sent so far") });
  const words = h("span", { class: "secondary" });
  const cancel = h("button", { class: "button quiet", type: "button", "aria-label": t("Stop the upload") }, icon("x"));
  const again = h("button", { class: "button", type: "button", hidden: true }, t("Try again"));
  const line = h("div", { class: "upload-line" }, icon("upload"), h("b", {}, file.name), bar, words, again, cancel);
  element("uploads").append(line);
  return {
    /**
     * @param {number} sent
     * @param {number} all
     */
    progress(sent, all) {
      bar.value = all === 0 ? 1 : sent / all;
      setContent(words, t("{sent} of {total}", { sent: bytes(sent), total: bytes(all) }));
    },
    done() {
      setContent(words, t("Received; it is now being read in."));
      cancel.remove();
      window.setTimeout(() => line.remove(), DONE_LINE_MS);
    },
    /** @param {() => void} retry */
    failed(retry) {
      setContent(words, t("The upload broke off. What was sent is kept."));
      again.hidden = false;
      again.onclick = () => {
        again.hidden = true;
        retry();
      };
    },
    /** @param {() => void} stop */
    cancelled(stop) {
      cancel.onclick = () => {
        stop();
        line.remove();
      };
    },
  };
}
