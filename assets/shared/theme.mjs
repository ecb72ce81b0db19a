/* Light or dark: as the system has it, until the person chooses. Shown as soon as this module is there. */

const KEY = "squiggle:theme";

const systemDark = window.matchMedia("(prefers-color-scheme: dark)");

const systemTheme = () => (systemDark.matches ? "dark" : "light");

function theme() {
  let chosen = null;
  try {
    chosen = localStorage.getItem(KEY);
  } catch {
    /* Without local storage the system decides. */
  }
  return chosen ?? systemTheme();
}

function showTheme() {
  document.documentElement.dataset.theme = theme();
}

/** Change from light to dark, or back. */
export function switchTheme() {
  const next = theme() === "dark" ? "light" : "dark";
  try {
    if (next === systemTheme()) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, next);
  } catch {
    /* It cannot be remembered, but it can be shown. */
  }
  document.documentElement.dataset.theme = next;
}

showTheme();
systemDark.addEventListener("change", showTheme);
