/* Importing a list of classes. */

import { byId } from "../shared/dom.mjs";
import { filePicker } from "./pickers.mjs";

/** @import { Session } from "../session/session.mjs" */

/** @param {Session} session */
export function setUpClassImport({ classes }) {
  const picker = filePicker({ id: "class-file", accept: ".txt,.csv,.tsv,.json" }, "List of classes", ([file]) => {
    if (file) classes.importList(file);
  });
  byId("import-classes").addEventListener("click", () => picker.click());
}
