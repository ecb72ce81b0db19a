/* Files in and out: opening images, taking results home. */
(() => {
  "use strict";
  const squiggle = (window.squiggle ??= {});

  const byId = (id) => document.getElementById(id);

  const bytesOf = (base64) => (
    Uint8Array.fromBase64?.(base64) ?? Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
  );

  /** Bytes from base64 of zlib-compressed data. */
  squiggle.inflate = async (text) => {
    const { readable, writable } = new DecompressionStream("deflate");
    const writer = writable.getWriter();
    writer.write(bytesOf(text));
    writer.close();
    return new Uint8Array(await new Response(readable).arrayBuffer());
  };

  const NOT_SENT = "could not be sent: the server does not answer. Try again in a moment.";
  const PATIENCE = 6;

  const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, 1000 * seconds));

  /** Send an image file; gives its facts, or {error}. A busy server is asked again after a while. */
  const send = async (file) => {
    const limit = squiggle.facts.maxUploadBytes;
    const megabytes = (bytes) => Math.round(bytes / 2 ** 20);
    if (file.size > limit) {
      return { error: `It has ${megabytes(file.size)} MB; this server takes at most ${megabytes(limit)} MB.` };
    }
    const url = `${squiggle.base}s/${squiggle.session.id}/images?name=${encodeURIComponent(file.name)}`;
    for (let attempt = 1; ; attempt += 1) {
      const response = await fetch(url, { method: "POST", body: file });
      if (response.ok) return response.json();
      if (!squiggle.isBusy(response) || attempt === PATIENCE) return { error: await squiggle.reasonOf(response) };
      await pause(Number(response.headers.get("Retry-After")) || 1);
    }
  };

  const sayWhatFailed = (failed, total) => {
    const [first] = failed;
    if (total === 1) squiggle.showMessage(`“${first.name}” was not opened. ${first.error}`);
    else if (failed.length) {
      const told = failed.slice(0, 3).map(({ name, error }) => `“${name}”: ${error}`).join(" ");
      const more = failed.length > 3 ? ` And ${failed.length - 3} more.` : "";
      squiggle.showMessage(`${failed.length} of ${total} files were not opened. ${told}${more}`);
    }
  };

  const sayWhatOpened = (opened, total) => {
    const { session } = squiggle;
    if (!opened.length) squiggle.showStatus("The image before is still here.", null);
    else if (total > 1) squiggle.showStatus(`Opened ${opened.length} images: the strip below the image moves between them.`, null);
    else {
      const drawn = session.state.strokes.length;
      const before = drawn ? `You have drawn on it before: ${drawn} ${drawn === 1 ? "stroke" : "strokes"}.` : "";
      squiggle.showStatus(`Opened ${opened[0].name}. ${before || "Draw a squiggle in each of two classes."}`, null);
    }
  };

  const openAll = async (files) => {
    const opened = [];
    const failed = [];
    const notes = new Set();
    let unsent = [];
    squiggle.hideMessage();
    await squiggle.waitFor(async (say) => {
      for (const [index, file] of files.entries()) {
        const which = files.length > 1 ? `image ${index + 1} of ${files.length}: ` : "";
        say(`Opening ${which}${file.name}…`, index / files.length);
        try {
          const { error, notes: told = [], ...image } = await send(file);
          if (error) failed.push({ name: file.name, error });
          else {
            squiggle.session.addImage(image, !opened.length);
            opened.push(image);
            told.forEach((note) => notes.add(note));
          }
        } catch {
          unsent = files.slice(index);
          return;
        }
      }
    });
    if (unsent.length) {
      const rest = unsent.length - 1;
      squiggle.showMessage(`“${unsent[0].name}”${rest ? ` and ${rest} more` : ""} ${NOT_SENT}`);
      squiggle.showStatus("What was there before is still here.", null);
      return;
    }
    sayWhatOpened(opened, files.length);
    if (failed.length) sayWhatFailed(failed, files.length);
    else if (notes.size) squiggle.showMessage([...notes].join(" "));
  };

  let opening = Promise.resolve();

  /**
   * Open image files, one after the other in the order of their names; the first is taken in hand. The file of a
   * session becomes a session of its own.
   */
  squiggle.openImages = (files) => {
    const session = [...files].find((file) => file.name.endsWith(squiggle.facts.sessionSuffix));
    if (session) {
      squiggle.importSession(session, squiggle.showStatus);
      return;
    }
    const inOrder = [...files].sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
    if (inOrder.length) opening = opening.then(() => openAll(inOrder));
  };

  const takeHome = async (button) => {
    const { session } = squiggle;
    const name = button.dataset.file;
    byId("download-problem").textContent = "";
    button.classList.add("busy");
    try {
      await session.conversation.settled();
      const response = await fetch(
        `${squiggle.base}s/${session.id}/download/${name}?image=${session.imageHash}&opacity=${session.view.opacity}&along=${(squiggle.along ?? []).join(",")}`,
      );
      if (!response.ok) {
        byId("download-problem").textContent = await squiggle.reasonOf(response);
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

  squiggle.enableDownloads = ({ here, anywhere, result }, { image, images }) => {
    const enough = { "labels.tif": here, "strokes.json": anywhere };
    squiggle.series?.enable(result);
    for (const button of document.querySelectorAll(".download")) {
      button.disabled = !(enough[button.dataset.file] ?? result);
    }
    byId("downloads-hint").textContent = !result ? "Once two classes have strokes, all of these can be taken home."
      : images.length > 1 ? `Of “${image.name}”, the image in hand; strokes and classifier are those of all.` : "";
  };

  squiggle.setUpFiles = () => {
    const picker = squiggle.element("input", { type: "file", multiple: true, accept: byId("page").dataset.accept, hidden: true });
    picker.id = "image-file";
    picker.setAttribute("aria-label", "Image files");
    picker.addEventListener("change", () => {
      const files = [...picker.files];
      picker.value = "";
      squiggle.openImages(files);
    });
    byId("page").append(picker);
    byId("open-image").addEventListener("click", () => picker.click());
    for (const button of document.querySelectorAll(".download")) {
      button.addEventListener("click", () => takeHome(button));
    }
  };
})();
