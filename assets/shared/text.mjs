/* Numbers and names as people read them. */

/**
 * A number of things, such as "1 image" or "1,200 images".
 * @param {number} count
 * @param {string} one the word for one of them
 * @param {string} [several] the word for several of them
 */
export function counted(count, one, several = `${one}s`) {
  return `${count.toLocaleString("en")} ${count === 1 ? one : several}`;
}

/**
 * A number of bytes in whole megabytes.
 * @param {number} bytes
 */
export function megabytes(bytes) {
  return `${Math.round(bytes / 2 ** 20)} MB`;
}

/**
 * How long something takes, roughly.
 * @param {number} seconds
 */
export function duration(seconds) {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/**
 * When something was used, such as "today, 09:30".
 * @param {number} seconds since 1970
 * @param {Date} [now]
 */
export function whenUsed(seconds, now = new Date()) {
  const used = new Date(1000 * seconds);
  const days = Math.round((new Date(now).setHours(0, 0, 0, 0) - new Date(used).setHours(0, 0, 0, 0)) / 86400000);
  const time = used.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  if (days <= 0) return `today, ${time}`;
  if (days === 1) return `yesterday, ${time}`;
  return used.toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric" });
}

/**
 * Things in the order of their names, where 9 comes before 10.
 * @template {{name: string}} T
 * @param {Iterable<T>} things
 */
export function inOrderOfNames(things) {
  return [...things].sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
}
