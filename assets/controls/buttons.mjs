/* The buttons around the image. */

import { facts } from "../page/context.mjs";
import { showSettingsAnew } from "../page/settings.mjs";
import { setUpEraserSwitch } from "../page/toolbar.mjs";
import { all, byId } from "../shared/dom.mjs";
import { chooseTool } from "./tools.mjs";

/** @import { Session } from "../session/session.mjs" */

const ZOOM_STEP = 1.5;

/**
 * The slider of the width: Dash would also tell what the page itself has set it to, as the zoom goes.
 * @param {Session} session
 */
function setUpWidth(session) {
  document.addEventListener("input", ({ target }) => {
    if (!(target instanceof HTMLInputElement) || target.id !== "stroke-width") return;
    session.brush.setWidth(Number(target.value));
  });
  document.addEventListener("change", ({ target }) => {
    if (target instanceof HTMLInputElement && target.id === "stroke-width") session.drawing.selection.settle();
  });
}

/**
 * @param {Session} session
 * @param {() => void} chooseClassifier opens the picker of classifier files
 */
export function setUpButtons(session, chooseClassifier) {
  for (const button of all("#toolbar [data-tool]")) {
    button.addEventListener("click", () => chooseTool(session, button.dataset.tool ?? ""));
  }
  const clicks = {
    "undo": () => session.undo(),
    "redo": () => session.redo(),
    "clear": () => session.clear(),
    "leave-region": () => session.leaveRegion(),
    "zoom-in": () => session.viewport.zoom(ZOOM_STEP),
    "zoom-out": () => session.viewport.zoom(1 / ZOOM_STEP),
    "fit": () => session.viewport.fit(),
    "add-class": () => session.classes.add(),
    "weigh-classes": () => session.chooseView({ weighing: !session.view.weighing }),
    "segment-now": () => session.segmentNow(),
    "open-classifier": chooseClassifier,
    "close-classifier": () => session.append({ type: "classifier.close" }),
    "opened-choice": () => session.append({
      type: "classifier.keep", keep: byId("opened-choice").dataset.choice === "keep",
    }),
    "make-stack": () => session.images.makeStack(),
    "add-images": () => byId("open-image").click(),
    "reset-settings": () => {
      const { features, forest } = facts();
      session.append({ type: "settings.change", features, forest });
      showSettingsAnew({ features, forest });
    },
  };
  for (const [id, run] of Object.entries(clicks)) {
    byId(id).addEventListener("click", run);
  }
  setUpEraserSwitch((whole) => session.chooseView({ whole }));
  setUpWidth(session);
  const layer = byId("layer", HTMLSelectElement);
  layer.addEventListener("change", () => session.chooseView({ layer: layer.value }));
}
