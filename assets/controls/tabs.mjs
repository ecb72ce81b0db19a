/*
 * The tabs of the panel beside the image: what hardly anybody changes is folded until its tab is clicked, and again
 * when it is clicked once more. On a narrow screen everything is in tabs, and one of them is always open.
 */

import { all, byId } from "../shared/dom.mjs";

const NARROW = "(max-width: 820px)";

/** @typedef {(name: string) => void} OnTab a tab was chosen, by its name; none when all are folded */

const tabs = () => all("#tabs [data-tab]");

/**
 * @param {string} name
 * @param {OnTab} onTab
 */
function choose(name, onTab) {
  byId("panel").dataset.tab = name;
  const reached = name || tabs().find((tab) => tab.offsetParent)?.dataset.tab;
  for (const tab of tabs()) {
    const chosen = tab.dataset.tab === name;
    tab.setAttribute("aria-selected", String(chosen));
    tab.tabIndex = tab.dataset.tab === reached ? 0 : -1;
    byId(`panel-${tab.dataset.tab}`).classList.toggle("chosen", chosen);
  }
  if (name) beginAtTop(byId(`panel-${name}`));
  onTab(name);
}

/**
 * Scroll back to where a section begins, if the one before it was scrolled further.
 * @param {HTMLElement} section
 */
function beginAtTop(section) {
  const over = byId("tabs").getBoundingClientRect().bottom - section.getBoundingClientRect().top;
  if (over > 0) byId("panel").scrollTop -= over;
}

/**
 * Open a tab, if it is not.
 * @param {string} name
 */
export function openTab(name) {
  const tab = byId(`tab-${name}`);
  if (tab.getAttribute("aria-selected") !== "true") tab.click();
}

/** @param {OnTab} onTab */
export function setUpTabs(onTab) {
  const narrow = window.matchMedia(NARROW);
  const chooseFirst = () => choose(narrow.matches ? "classes" : "", onTab);
  narrow.addEventListener("change", chooseFirst);
  chooseFirst();
  for (const tab of tabs()) {
    tab.addEventListener("click", () => {
      const folds = !narrow.matches && tab.getAttribute("aria-selected") === "true";
      choose(folds ? "" : tab.dataset.tab ?? "", onTab);
    });
  }
  byId("tabs").addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const seen = tabs().filter((tab) => tab.offsetParent);
    const next = seen[(seen.findIndex((tab) => tab === event.target) + step + seen.length) % seen.length];
    choose(next.dataset.tab ?? "", onTab);
    next.focus();
  });
}
