/* Pickers of files. */

import { byId, element } from "../shared/dom.mjs";

/**
 * Put a picker of files, which is not seen, on the page; its `click` lets files be chosen.
 * @param {Record<string, any>} attributes such as id, accept and multiple
 * @param {string} label
 * @param {(files: File[]) => void} onFiles
 */
export function filePicker(attributes, label, onFiles) {
  const picker = element("input", { type: "file", hidden: true, "aria-label": label, ...attributes });
  picker.addEventListener("change", () => {
    const files = [...picker.files ?? []];
    picker.value = "";
    onFiles(files);
  });
  byId("page").append(picker);
  return picker;
}
