/* Classifier files: opened in the session, and what the page says of the one that is at work. */
(() => {
  "use strict";
  const squiggle = (window.squiggle ??= {});

  const byId = (id) => document.getElementById(id);

  const counted = (count, one, several = `${one}s`) => `${count.toLocaleString("en")} ${count === 1 ? one : several}`;

  squiggle.openClassifier = async (file) => {
    const { session } = squiggle;
    const limit = squiggle.facts.maxClassifierBytes;
    squiggle.hideMessage();
    if (file.size > limit) {
      squiggle.showMessage(
        `“${file.name}” has ${Math.round(file.size / 2 ** 20)} MB; this server takes classifiers of at most ${Math.round(limit / 2 ** 20)} MB.`,
      );
      return;
    }
    squiggle.showStatus(`Opening ${file.name}…`, 0);
    try {
      const url = `${squiggle.base}s/${session.id}/classifiers?name=${encodeURIComponent(file.name)}`;
      const response = await fetch(url, { method: "POST", body: file });
      const answer = response.ok ? await response.json() : { error: await squiggle.reasonOf(response) };
      if (answer.error) {
        squiggle.showMessage(`“${file.name}” was not opened. ${answer.error}`);
        squiggle.showStatus("Nothing has changed.", null);
        return;
      }
      session.append({ type: "classifier.open", ...answer });
      squiggle.showMessage(
        `“${file.name}” is open: its classes, strokes and settings have replaced those of this session. Undo brings them back.`,
      );
    } catch {
      squiggle.showMessage(`“${file.name}” could not be sent: the server does not answer. Try again in a moment.`);
      squiggle.showStatus("Nothing has changed.", null);
    }
  };

  const described = ({ trees, class_ids: classIds, channels, images }) => {
    const [first] = images;
    const taught = images.length === 1 ? `an image of ${first.columns} × ${first.rows}` : `${images.length} images`;
    return [
      counted(trees, "tree"), counted(classIds.length, "class", "classes"),
      channels === null ? "any channels" : counted(channels, "channel"), ...(first ? [`trained on ${taught}`] : []),
    ].join(" · ");
  };

  /** The card of the classifier that was opened; text says how it takes part, once the server has told. */
  squiggle.showOpened = ({ opened }, text) => {
    byId("opened").hidden = !opened;
    if (!opened) return;
    byId("opened-name").textContent = opened.name;
    byId("opened-name").title = opened.name;
    byId("opened-facts").textContent = described(opened);
    byId("opened-text").textContent = text;
  };

  squiggle.setUpClassifiers = () => {
    const picker = squiggle.element("input", { type: "file", accept: ".squiggle", hidden: true });
    picker.id = "classifier-file";
    picker.setAttribute("aria-label", "Classifier file");
    picker.addEventListener("change", () => {
      const [file] = picker.files;
      picker.value = "";
      if (file) squiggle.openClassifier(file);
    });
    byId("page").append(picker);
    squiggle.chooseClassifier = () => picker.click();
  };
})();
