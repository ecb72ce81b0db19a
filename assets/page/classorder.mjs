/* The order of the class list: a row is dragged by its number, or moved with Alt and an arrow. */

const FAR_ENOUGH = 4;

/**
 * @typedef {object} Ordering
 * @property {HTMLElement} container of the rows
 * @property {(row: Element) => void} moved a row has another place among the children of the container
 */

/**
 * @param {HTMLElement} container
 * @param {number} y of the pointer
 * @param {Element} row that is dragged
 */
function moveTo(container, y, row) {
  const rest = [...container.children].filter((one) => one !== row);
  const next = rest.find((one) => {
    const box = one.getBoundingClientRect();
    return y < box.top + box.height / 2;
  }) ?? null;
  if (row.nextElementSibling !== next) container.insertBefore(row, next);
}

/** @param {Ordering} ordering */
function setUpDragging({ container, moved }) {
  /** @type {?{row: Element, y: number, dragging: boolean}} */
  let held = null;
  container.addEventListener("pointerdown", (event) => {
    const handle = event.target instanceof Element && event.target.closest(".class-choose");
    const row = handle && handle.closest(".class-row");
    if (!row || event.button !== 0) return;
    held = { row, y: event.clientY, dragging: false };
  });
  window.addEventListener("pointermove", (event) => {
    if (!held) return;
    held.dragging ||= Math.abs(event.clientY - held.y) > FAR_ENOUGH;
    if (!held.dragging) return;
    held.row.classList.add("dragged");
    moveTo(container, event.clientY, held.row);
  });
  const release = () => {
    if (held?.dragging) {
      held.row.classList.remove("dragged");
      moved(held.row);
    }
    held = null;
  };
  window.addEventListener("pointerup", release);
  window.addEventListener("pointercancel", release);
}

/** @param {Ordering} ordering */
function setUpKeys({ container, moved }) {
  container.addEventListener("keydown", (event) => {
    const target = event.target instanceof HTMLElement ? event.target : null;
    const row = target?.closest(".class-row");
    if (!target || !row || !event.altKey || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "ArrowUp") row.previousElementSibling?.before(row);
    else row.nextElementSibling?.after(row);
    target.focus();
    moved(row);
  }, { capture: true });
}

/** @param {Ordering} ordering */
export function setUpOrdering(ordering) {
  setUpDragging(ordering);
  setUpKeys(ordering);
}
