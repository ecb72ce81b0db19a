/* What is dropped on the page: files, and all that lies in folders. */

import { byId, targetOf } from "../shared/dom.mjs";
import { showMessage } from "../shared/messages.mjs";

/** @typedef {{file: File, name: string}} NamedFile the name of what lay in a folder begins with that folder */

/**
 * @typedef {object} Openers what is done with what was dropped
 * @property {(files: NamedFile[]) => void} sendToSeries
 * @property {(files: File[]) => void} openImages
 * @property {(file: File) => void} openClassifier
 */

const IMAGE = /\.(png|jpe?g|tiff?|bmp|webp|czi|nd2|lif|dcm|nii|nii\.gz|h5|hdf5|ozx)$/i;
const ZIP = /\.zip$/i;
const FEW = 20;

/**
 * Whether a file, by its name with folders, is an image; hidden files are none.
 * @param {{name: string}} file
 */
export function isImage({ name }) {
  return IMAGE.test(name) && !name.split("/").at(-1)?.startsWith(".");
}

/**
 * Whether a series takes a file, by its name.
 * @param {{name: string}} file
 */
export function isForSeries(file) {
  return isImage(file) || ZIP.test(file.name);
}

/**
 * @param {FileSystemDirectoryEntry} folder
 * @returns {Promise<FileSystemEntry[]>}
 */
async function entriesOf(folder) {
  const reader = folder.createReader();
  const entries = [];
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const some = await new Promise((resolve, reject) => { reader.readEntries(resolve, reject); });
    if (!some.length) return entries;
    entries.push(...some);
  }
}

/**
 * @param {FileSystemEntry} entry
 * @returns {Promise<NamedFile[]>}
 */
async function filesBelow(entry) {
  if (entry.isFile) {
    /** @type {File} */
    const file = await new Promise((resolve, reject) => {
      /** @type {FileSystemFileEntry} */ (entry).file(resolve, reject);
    });
    return [{ file, name: entry.fullPath.replace(/^\//, "") }];
  }
  const files = [];
  const entries = await entriesOf(/** @type {FileSystemDirectoryEntry} */ (entry));
  for (const one of entries) files.push(...await filesBelow(one));
  return files;
}

/**
 * What was dropped. To be called while the drop is handled: afterwards the browser no longer gives the items away.
 * @param {DataTransferItemList} items
 * @returns {Promise<NamedFile[]>}
 */
export async function droppedFiles(items) {
  const dropped = [...items].filter(({ kind }) => kind === "file").map((item) => {
    const entry = item.webkitGetAsEntry();
    return entry?.isDirectory ? { entry, file: null } : { entry: null, file: item.getAsFile() };
  });
  const files = [];
  for (const { entry, file } of dropped) {
    if (entry) files.push(...await filesBelow(entry));
    else if (file) files.push({ file, name: file.name });
  }
  return files;
}

/**
 * Send to a series what was dropped there; open what was dropped elsewhere, of folders the images, if they are few.
 * @param {NamedFile[]} dropped
 * @param {boolean} onSeries
 * @param {Openers} openers
 */
function open(dropped, onSeries, { sendToSeries, openImages, openClassifier }) {
  const sent = onSeries ? dropped.filter(isForSeries) : [];
  const rest = onSeries ? dropped.filter((one) => !isForSeries(one)) : dropped;
  /** @param {NamedFile} one */
  const inFolder = ({ name }) => name.includes("/");
  const ofFolders = rest.filter((one) => inFolder(one) && isImage(one));
  const alone = rest.filter((one) => !inFolder(one));
  if (ofFolders.length > FEW) {
    const count = ofFolders.length.toLocaleString("en");
    const others = "open Series and drop all there, to have them segmented";
    showMessage(`These are ${count} images. Drop at most ${FEW}, to draw on them, or ${others}.`);
    return;
  }
  if (!sent.length && !ofFolders.length && !alone.length) {
    showMessage("There is no image in what was dropped.");
    return;
  }
  if (sent.length) sendToSeries(sent);
  const files = [...alone, ...ofFolders].map(({ file }) => file);
  /** @param {File} file */
  const isClassifier = (file) => file.name.toLowerCase().endsWith(".squiggle");
  openImages(files.filter((file) => !isClassifier(file)));
  files.filter(isClassifier).slice(0, 1).forEach(openClassifier);
}

/** @param {Openers} openers */
export function setUpDropping(openers) {
  let depth = 0;
  /** @param {number} change */
  const hint = (change) => {
    depth = Math.max(0, depth + change);
    byId("page").classList.toggle("dropping", depth > 0);
  };
  /** @param {DragEvent} event */
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
  document.addEventListener("dragenter", (event) => { if (hasFiles(event)) hint(1); });
  document.addEventListener("dragleave", (event) => { if (hasFiles(event)) hint(-1); });
  document.addEventListener("dragover", (event) => { if (hasFiles(event)) event.preventDefault(); });
  document.addEventListener("drop", async (event) => {
    if (!event.dataTransfer || !hasFiles(event)) return;
    event.preventDefault();
    hint(-depth);
    const onSeries = targetOf(event).closest("#panel-series") !== null;
    try {
      open(await droppedFiles(event.dataTransfer.items), onSeries, openers);
    } catch {
      showMessage("What was dropped could not be read. Drop it again, or choose its files.");
    }
  });
}
