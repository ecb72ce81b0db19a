/* What is dropped on the page: files, and all that lies in folders. */
(() => {
  "use strict";
  const squiggle = (window.squiggle ??= {});

  const IMAGE = /\.(png|jpe?g|tiff?|bmp|webp)$/i;
  const FEW = 20;

  const byId = (id) => document.getElementById(id);

  /** Whether a file, by its name with folders, is an image; hidden files are none. */
  squiggle.isImage = ({ name }) => IMAGE.test(name) && !name.split("/").at(-1).startsWith(".");

  /** Whether a series takes a file, by its name. */
  squiggle.isForSeries = (one) => squiggle.isImage(one) || /\.zip$/i.test(one.name);

  const entriesOf = async (folder) => {
    const reader = folder.createReader();
    const entries = [];
    for (;;) {
      const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
      if (!some.length) return entries;
      entries.push(...some);
    }
  };

  const filesBelow = async (entry) => {
    if (entry.isFile) {
      const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
      return [{ file, name: entry.fullPath.replace(/^\//, "") }];
    }
    const files = [];
    for (const one of await entriesOf(entry)) files.push(...await filesBelow(one));
    return files;
  };

  /**
   * What was dropped, each {file, name}; the name of what lay in a folder begins with that folder. To be called while
   * the drop is handled: afterwards the browser no longer gives the items away.
   * @param {DataTransferItemList} items
   */
  squiggle.droppedFiles = async (items) => {
    const dropped = [...items].filter(({ kind }) => kind === "file").map((item) => {
      const entry = item.webkitGetAsEntry();
      return entry?.isDirectory ? { entry } : { file: item.getAsFile() };
    });
    const files = [];
    for (const { entry, file } of dropped) files.push(...(entry ? await filesBelow(entry) : [{ file, name: file.name }]));
    return files;
  };

  /** Send to a series what was dropped there; open what was dropped elsewhere, of folders the images, if they are few. */
  const take = (dropped, onSeries) => {
    const sent = onSeries ? dropped.filter(squiggle.isForSeries) : [];
    const rest = onSeries ? dropped.filter((one) => !squiggle.isForSeries(one)) : dropped;
    const inFolder = ({ name }) => name.includes("/");
    const ofFolders = rest.filter((one) => inFolder(one) && squiggle.isImage(one));
    const alone = rest.filter((one) => !inFolder(one));
    if (ofFolders.length > FEW) {
      const count = ofFolders.length.toLocaleString("en");
      const others = "open Series and drop all there, to have them segmented";
      squiggle.showMessage(`These are ${count} images. Drop at most ${FEW}, to draw on them, or ${others}.`);
      return;
    }
    if (!sent.length && !ofFolders.length && !alone.length) {
      squiggle.showMessage("There is no image in what was dropped.");
      return;
    }
    if (sent.length) squiggle.series.drop(sent);
    const files = [...alone, ...ofFolders].map(({ file }) => file);
    const isClassifier = (file) => file.name.toLowerCase().endsWith(".squiggle");
    squiggle.openImages(files.filter((file) => !isClassifier(file)));
    files.filter(isClassifier).slice(0, 1).forEach(squiggle.openClassifier);
  };

  squiggle.setUpDropping = () => {
    let depth = 0;
    const hint = (change) => {
      depth = Math.max(0, depth + change);
      byId("page").classList.toggle("dropping", depth > 0);
    };
    const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
    document.addEventListener("dragenter", (event) => { if (hasFiles(event)) hint(1); });
    document.addEventListener("dragleave", (event) => { if (hasFiles(event)) hint(-1); });
    document.addEventListener("dragover", (event) => { if (hasFiles(event)) event.preventDefault(); });
    document.addEventListener("drop", async (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      hint(-depth);
      const onSeries = Boolean(event.target.closest?.("#panel-series"));
      try {
        take(await squiggle.droppedFiles(event.dataTransfer.items), onSeries);
      } catch {
        squiggle.showMessage("What was dropped could not be read. Drop it again, or choose its files.");
      }
    });
  };
})();
