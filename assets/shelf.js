/* What can be done with sessions as a whole: made, copied, taken along, brought back, deleted. */
(() => {
  "use strict";
  const squiggle = (window.squiggle ??= {});

  const AWAY = "The server does not answer. Try again in a moment; what is stored is safe.";

  const TOO_LARGE = "It is larger than what stands in front of this server lets through: whoever runs it can allow more.";

  /** Whether it is worth asking again: the server is busy, or a proxy in front of it does not reach it. */
  squiggle.isBusy = (response) => [429, 502, 503, 504].includes(response.status);

  /** The sentence in which a server refused something; a proxy in front of it has none, and gets one of ours. */
  squiggle.reasonOf = async (response) => {
    try {
      return (await response.json()).error ?? "The server refused without a reason.";
    } catch {
      if (response.status === 413) return TOO_LARGE;
      return squiggle.isBusy(response) ? AWAY : `The server refused (${response.status}).`;
    }
  };

  /** Ask the server for something; gives its answer, or null after the person was told why there is none. */
  squiggle.request = async (path, options) => {
    try {
      const response = await fetch(`${squiggle.base}${path}`, options);
      if (response.ok) return await response.json();
      squiggle.showMessage(await squiggle.reasonOf(response));
    } catch {
      squiggle.showMessage(AWAY);
    }
    return null;
  };

  squiggle.goTo = (session) => window.location.assign(`${squiggle.base}s/${session}`);

  squiggle.newSession = async () => {
    const made = await squiggle.request("sessions", { method: "POST" });
    if (made) squiggle.goTo(made.session);
  };

  squiggle.exportSession = (session) => {
    squiggle.element("a", { href: `${squiggle.base}s/${session}/file`, download: "" }).click();
  };

  async function* messages(response) {
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const lines = (rest + value).split("\n");
      rest = lines.pop();
      for (const line of lines) yield JSON.parse(line);
    }
  }

  /**
   * Make a session of a file, and go there.
   * @param {File} file
   * @param {function} progress called with a text and the share that is done, null at the end
   */
  squiggle.importSession = async (file, progress) => {
    const failed = (reason) => {
      progress("", null);
      squiggle.showMessage(`“${file.name}” was not imported. ${reason}`);
    };
    progress(`Importing ${file.name}…`, 0);
    try {
      const response = await fetch(`${squiggle.base}sessions/import`, { method: "POST", body: file });
      if (!response.ok) {
        failed(await squiggle.reasonOf(response));
        return;
      }
      for await (const { error, session, done, of } of messages(response)) {
        if (error) failed(error);
        else if (session) squiggle.goTo(session);
        else progress(`Importing ${file.name}: image ${done + 1} of ${of}`, done / of);
      }
    } catch {
      failed(AWAY);
    }
  };
})();
