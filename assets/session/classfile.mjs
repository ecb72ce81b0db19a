/* Lists of classes in files: JSON with `classes` as strokes.json has them, CSV, or text with a name a line. */

/** @typedef {{name: string, colour: ?string}} NamedClass a class as a file lists it */

/** Bytes of the largest file that is read. */
export const MAX_LIST_BYTES = 2 ** 20;

const MAX_CLASSES = 255;
const MAX_NAME = 60;
const COLOUR = /^#[0-9a-f]{6}$/i;
const PRINTABLE = /^[^\p{C}\p{Zl}\p{Zp}]+$/u;

/**
 * @param {unknown} name
 * @param {unknown} colour
 * @returns {NamedClass}
 */
function namedClass(name, colour) {
  const text = typeof name === "string" ? name.trim() : "";
  if (!text || text.length > MAX_NAME || !PRINTABLE.test(text)) {
    throw new Error(`Each class needs a name of 1 to ${MAX_NAME} characters on one line.`);
  }
  const found = typeof colour === "string" && COLOUR.test(colour) ? colour.toLowerCase() : null;
  return { name: text, colour: found };
}

/** @param {string} text */
function fromJson(text) {
  let read;
  try {
    read = JSON.parse(text);
  } catch {
    throw new Error("The file begins like JSON, but is none.");
  }
  const listed = Array.isArray(read) ? read : read.classes;
  if (!Array.isArray(listed)) throw new Error("The file has no list of “classes”.");
  return listed.map((one) => (typeof one === "string" ? namedClass(one, null) : namedClass(one?.name, one?.colour)));
}

/** @param {string} text */
function fromLines(text) {
  const lines = text.split(/\r\n?|\n/).filter((line) => line.trim());
  const rows = lines.map((line) => line.split(/[,;\t]/).map((cell) => cell.trim().replace(/^"(.*)"$/, "$1").trim()));
  if (rows[0]?.some((cell) => cell.toLowerCase() === "name")) {
    const [head, ...rest] = rows;
    const at = head.findIndex((cell) => cell.toLowerCase() === "name");
    return rest.map((row) => namedClass(row[at], row.find((cell) => COLOUR.test(cell))));
  }
  return rows.map((row) => {
    const cells = row.filter((cell) => !COLOUR.test(cell));
    /* A number before the name is its id or place: the order says that already. */
    const name = cells.length > 1 && /^\d+$/.test(cells[0]) ? cells[1] : cells[0];
    return namedClass(name, row.find((cell) => COLOUR.test(cell)));
  });
}

/**
 * The classes that a file lists.
 * @param {string} text of the file
 * @returns {NamedClass[]}
 * @throws {Error} with a sentence, if it lists none
 */
export function classesOfFile(text) {
  const bare = text.replace(/^\uFEFF/, "").trim();
  const listed = /^[[{]/.test(bare) ? fromJson(bare) : fromLines(bare);
  if (!listed.length) throw new Error("The file lists no class.");
  if (listed.length > MAX_CLASSES) throw new Error(`It lists ${listed.length} classes, more than ${MAX_CLASSES}.`);
  return listed;
}
