/* Files in and out: opening an image, taking results home. */
(() => {
  "use strict";
  const squiggle = (window.squiggle ??= {});

  const byId = (id) => document.getElementById(id);

  /** Bytes from base64 of zlib-compressed data. */
  squiggle.inflate = async (text) => {
    const packed = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  };

  const reasonOf = async (response) => {
    try {
      return (await response.json()).error ?? "The server refused without a reason.";
    } catch {
      return `The server refused (${response.status}).`;
    }
  };

  squiggle.openImage = async (file) => {
    const { session } = squiggle;
    const limit = squiggle.facts.maxUploadBytes;
    squiggle.hideMessage();
    if (file.size > limit) {
      squiggle.showMessage(
        `“${file.name}” has ${Math.round(file.size / 2 ** 20)} MB; this server takes at most ${Math.round(limit / 2 ** 20)} MB.`,
      );
      return;
    }
    squiggle.showStatus(`Opening ${file.name}…`, 0);
    try {
      const response = await fetch(
        `${squiggle.base}s/${session.id}/images?name=${encodeURIComponent(file.name)}`, { method: "POST", body: file },
      );
      const answer = response.ok ? await response.json() : { error: await reasonOf(response) };
      if (answer.error) {
        squiggle.showMessage(`“${file.name}” was not opened. ${answer.error}`);
        squiggle.showStatus("The image before is still here.", null);
        return;
      }
      const { notes, ...image } = answer;
      session.chooseView({ image: image.hash });
      session.append({ type: "image.open", image });
      const drawn = session.state.strokes.length;
      const before = drawn ? ` You have drawn on it before: ${drawn} ${drawn === 1 ? "stroke" : "strokes"}.` : "";
      squiggle.showStatus(`Opened ${file.name}.${before || " Draw a squiggle in each of two classes."}`, null);
      if (notes.length) squiggle.showMessage(notes.join(" "));
    } catch {
      squiggle.showMessage(`“${file.name}” could not be sent: the server does not answer. Try again in a moment.`);
      squiggle.showStatus("The image before is still here.", null);
    }
  };

  const takeHome = async (button) => {
    const { session } = squiggle;
    const name = button.dataset.file;
    byId("download-problem").textContent = "";
    button.classList.add("busy");
    try {
      await session.conversation.settled();
      const response = await fetch(
        `${squiggle.base}s/${session.id}/download/${name}?image=${session.imageHash}&opacity=${session.view.opacity}`,
      );
      if (!response.ok) {
        byId("download-problem").textContent = await reasonOf(response);
        return;
      }
      const link = document.createElement("a");
      link.href = URL.createObjectURL(await response.blob());
      const stem = session.state.image.name.replace(/\.[^.]*$/, "");
      link.download = `${stem}-${name}`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    } catch {
      byId("download-problem").textContent = "The server does not answer. Try again in a moment.";
    } finally {
      button.classList.remove("busy");
    }
  };

  squiggle.enableDownloads = ({ strokes, result }) => {
    for (const button of document.querySelectorAll(".download")) {
      const enough = ["labels.tif", "strokes.json"].includes(button.dataset.file) ? strokes : result;
      button.disabled = !enough;
    }
    byId("downloads-hint").textContent = result ? "" : "Once two classes have strokes, all of these can be taken home.";
  };

  squiggle.setUpFiles = () => {
    const picker = squiggle.element("input", { type: "file", accept: byId("page").dataset.accept, hidden: true });
    picker.id = "image-file";
    picker.setAttribute("aria-label", "Image file");
    picker.addEventListener("change", () => {
      const [file] = picker.files;
      picker.value = "";
      if (file) squiggle.openImage(file);
    });
    byId("page").append(picker);
    byId("open-image").addEventListener("click", () => picker.click());

    let depth = 0;
    const hint = (change) => {
      depth = Math.max(0, depth + change);
      byId("stage").classList.toggle("dropping", depth > 0);
    };
    const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
    document.addEventListener("dragenter", (event) => { if (hasFiles(event)) hint(1); });
    document.addEventListener("dragleave", (event) => { if (hasFiles(event)) hint(-1); });
    document.addEventListener("dragover", (event) => { if (hasFiles(event)) event.preventDefault(); });
    document.addEventListener("drop", (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      hint(-depth);
      const [file] = event.dataTransfer.files;
      if (file) squiggle.openImage(file);
    });
    for (const button of document.querySelectorAll(".download")) {
      button.addEventListener("click", () => takeHome(button));
    }
  };
})();
