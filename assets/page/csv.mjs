/* Tables that a person saves as comma-separated text. */

/**
 * Rows as CSV. What spreadsheets would take for a formula is a text.
 * @param {(string | number | null)[][]} rows what is not known, null or NaN, is empty
 */
export function csvOf(rows) {
  /** @param {string | number | null} cell */
  const text = (cell) => {
    if (cell === null) return "";
    if (typeof cell === "number") return Number.isFinite(cell) ? String(cell) : "";
    /* Some programs pass over blanks before the sign, and take signs of full width for those of half. */
    const seen = cell.normalize("NFKC").replace(/[\s\p{C}]/gu, "");
    const safe = /^[=+\-@\u2212]/.test(seen) || /^[\t\r\n]/.test(cell) ? `'${cell}` : cell;
    return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  return `${rows.map((row) => row.map(text).join(",")).join("\n")}\n`;
}
