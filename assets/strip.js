/* The strip of thumbnails: the images of the session, the one in hand marked, the strokes on each counted. */
(() => {
  "use strict";
  const squiggle = (window.squiggle ??= {});

  const byId = (id) => document.getElementById(id);
  const counted = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;
  const STEPS = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 };

  class Strip {
    /**
     * @param {string} session the session's id
     * @param {object} actions take(hash), step(by), remove(hash)
     */
    constructor(session, actions) {
      Object.assign(this, { session, actions, container: byId("images"), items: new Map(), chosen: null });
      this.container.addEventListener("keydown", (event) => this.onKey(event));
    }

    /** Show the images of a state; with a single one there is no strip. */
    update(state) {
      const several = state.images.length > 1;
      if (byId("strip").hidden === several) squiggle.betweenStrokes("strip", () => { byId("strip").hidden = !several; });
      if (!several) return;
      for (const [hash, item] of this.items) {
        if (!state.images.some((image) => image.hash === hash)) {
          item.root.remove();
          this.items.delete(hash);
        }
      }
      state.images.forEach((image, index) => {
        if (!this.items.has(image.hash)) this.items.set(image.hash, this.newItem(image));
        const item = this.items.get(image.hash);
        if (this.container.children[index] !== item.root) {
          this.container.insertBefore(item.root, this.container.children[index] ?? null);
        }
        this.fill(item, image, state);
      });
      this.sayWhatIsLeftOut(state);
      if (this.chosen !== state.image.hash) {
        this.chosen = state.image.hash;
        this.items.get(this.chosen).root.scrollIntoView({ block: "nearest", inline: "nearest" });
      }
    }

    newItem({ hash, name }) {
      const { element } = squiggle;
      const picture = element("img", {
        src: `${squiggle.base}s/${this.session}/images/${hash}/thumbnail`, alt: "", loading: "lazy", draggable: false,
      });
      const strokes = element("span", { class: "thumb-strokes" });
      const take = element(
        "button", { type: "button", class: "thumb-take", role: "radio", onclick: () => this.actions.take(hash) },
        picture, strokes, element("span", { class: "thumb-name" }, name),
      );
      const remove = element("button", {
        type: "button", class: "mini thumb-remove", title: "Remove this image from the session (Delete)",
        "aria-label": `Remove ${name}`, tabIndex: -1, onclick: () => this.actions.remove(hash),
      });
      remove.append(squiggle.icon("M6 6l12 12M18 6L6 18"));
      return { root: element("div", { class: "thumb" }, take, remove), take, strokes };
    }

    fill({ root, take, strokes }, image, state) {
      const chosen = image === state.image;
      const count = (chosen ? state.strokes : state.strokesElsewhere.get(image.hash)).length;
      const apart = image.channels !== state.image.channels;
      root.classList.toggle("chosen", chosen);
      root.classList.toggle("apart", apart);
      take.setAttribute("aria-checked", String(chosen));
      take.tabIndex = chosen ? 0 : -1;
      const facts = [counted(count, "stroke"), ...(apart ? ["has other channels: its strokes do not count here"] : [])];
      take.title = `${image.name}: ${facts.join(", ")}`;
      take.setAttribute("aria-label", take.title);
      strokes.textContent = count || "";
    }

    sayWhatIsLeftOut({ image, images, strokesElsewhere }) {
      const apart = images.filter((one) => one.channels !== image.channels && strokesElsewhere.get(one.hash).length);
      byId("images-note").textContent = apart.length
        ? `Not learnt from here: ${counted(apart.length, "image")} with other channels.`
        : "";
    }

    onKey(event) {
      const step = STEPS[event.key];
      if (step) this.actions.step(step);
      else if (event.key === "Delete") this.actions.remove(this.chosen);
      else return;
      event.preventDefault();
      event.stopPropagation();
      this.items.get(this.chosen)?.take.focus();
    }
  }

  squiggle.Strip = Strip;
})();
