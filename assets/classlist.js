/* The list of classes: which is in hand, its name, colour, strokes, and the share of the image that it takes. */
(() => {
  "use strict";
  const squiggle = (window.squiggle ??= {});

  const count = (value) => value.toLocaleString("en");

  class ClassList {
    /** @param {object} actions take(id), rename(id, name), recolour(id, colour), hide(id, hidden), remove(id) */
    constructor(container, actions) {
      Object.assign(this, { container, actions, rows: new Map() });
    }

    /** Show the classes; rows that stay are kept, so that nobody is interrupted while typing. */
    update(state, inHand, labelled, pixels) {
      const total = Object.values(pixels ?? {}).reduce((sum, value) => sum + value, 0);
      for (const [id, row] of this.rows) {
        if (!state.classes.some((c) => c.id === id)) {
          row.root.remove();
          this.rows.delete(id);
        }
      }
      state.classes.forEach((labelClass, index) => {
        if (!this.rows.has(labelClass.id)) this.rows.set(labelClass.id, this.newRow(labelClass.id));
        const row = this.rows.get(labelClass.id);
        if (this.container.children[index] !== row.root) {
          this.container.insertBefore(row.root, this.container.children[index] ?? null);
        }
        const strokes = state.strokes.filter((stroke) => stroke.class_id === labelClass.id).length;
        const pixelsDrawn = labelled?.[labelClass.id];
        const taken = pixels?.[labelClass.id];
        this.fill(row, labelClass, {
          index, strokes, pixelsDrawn, hidden: state.hidden.has(labelClass.id), chosen: labelClass.id === inHand,
          only: state.classes.length === 1, taken, share: total && taken !== undefined ? taken / total : null,
        });
      });
    }

    newRow(id) {
      const { actions } = this;
      const { element } = squiggle;
      const colour = element("input", {
        type: "color", class: "swatch", "aria-label": "Colour", onchange: () => actions.recolour(id, colour.value),
      });
      const name = element("input", {
        type: "text", class: "class-name", maxLength: 60, "aria-label": "Name", spellcheck: "false",
        onfocus: () => actions.take(id),
        onkeydown: (event) => {
          const takeBack = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z";
          if (takeBack || event.key === "Escape") {
            /* The browser's own undo would reach into other fields. */
            event.preventDefault();
            name.value = name.dataset.kept;
          }
          if (event.key === "Enter" || event.key === "Escape") name.blur();
          event.stopPropagation();
        },
        onchange: () => actions.rename(id, name.value.trim()),
      });
      const take = element("button", {
        type: "button", class: "take", role: "radio", onclick: () => actions.take(id),
      });
      const hide = element("button", {
        type: "button", class: "mini hide", onclick: () => actions.hide(id, hide.getAttribute("aria-pressed") !== "true"),
      });
      const remove = element("button", {
        type: "button", class: "mini remove", title: "Remove this class and its strokes", onclick: () => actions.remove(id),
      });
      remove.append(squiggle.icon("M6 6l12 12M18 6L6 18"));
      const facts = element("span", { class: "class-facts" });
      const share = element("span", { class: "class-share" });
      const taken = element("span", { class: "class-taken" });
      const bar = element("span", { class: "class-bar" });
      const root = element(
        "div", {
          class: "class-row",
          onclick: (event) => { if (!event.target.closest("input, button")) actions.take(id); },
        },
        take, colour, name, share, hide, remove, facts, taken, bar,
      );
      return { root, take, colour, name, hide, remove, facts, share, taken, bar };
    }

    fill(row, labelClass, { index, strokes, pixelsDrawn, hidden, chosen, only, taken, share }) {
      const key = index < 9 ? String(index + 1) : "·";
      if (row.take.textContent !== key) row.take.textContent = key;
      row.take.setAttribute("aria-checked", String(chosen));
      row.take.setAttribute("aria-label", `Take ${labelClass.name} in hand`);
      row.take.title = index < 9 ? `Take in hand (${key})` : "Take in hand";
      row.root.classList.toggle("chosen", chosen);
      row.root.classList.toggle("hidden-class", hidden);
      row.root.style.setProperty("--class-colour", labelClass.colour);
      row.name.dataset.kept = labelClass.name;
      if (document.activeElement !== row.name) row.name.value = labelClass.name;
      row.colour.value = labelClass.colour;
      row.hide.setAttribute("aria-pressed", String(hidden));
      row.hide.title = hidden ? "Show this class" : "Hide this class";
      row.hide.setAttribute("aria-label", `${row.hide.title}: ${labelClass.name}`);
      if (row.hide.dataset.hidden !== String(hidden)) {
        row.hide.dataset.hidden = String(hidden);
        row.hide.replaceChildren(squiggle.icon(
          hidden
            ? "M4 12s3-5 8-5 8 5 8 5-3 5-8 5-8-5-8-5zM5 19L19 5"
            : "M4 12s3-5 8-5 8 5 8 5-3 5-8 5-8-5-8-5zM12 10a2 2 0 1 0 .010 0z",
        ));
      }
      row.remove.setAttribute("aria-label", `Remove ${labelClass.name}`);
      row.remove.disabled = only;
      const drawn = strokes && pixelsDrawn !== undefined ? `, ${count(pixelsDrawn)} px` : "";
      row.facts.textContent = `${strokes} ${strokes === 1 ? "stroke" : "strokes"}${drawn}`;
      row.facts.title = drawn && `${count(pixelsDrawn)} pixels labelled by hand`;
      row.share.textContent = share === null ? "" : `${(100 * share).toFixed(2)} %`;
      row.taken.textContent = share === null ? "" : `${count(taken)} px`;
      for (const node of [row.share, row.taken]) node.title = "of the image";
      row.bar.style.setProperty("--share", share ?? 0);
    }
  }

  squiggle.ClassList = ClassList;
})();
