/* The root of a session's page: lets Dash lay the page out, then starts the session that the page's address names. */

import { AddressOpener } from "./controls/addresses.mjs";
import { setUpButtons } from "./controls/buttons.mjs";
import { setUpClassImport } from "./controls/classes.mjs";
import { ClassifierOpener } from "./controls/classifiers.mjs";
import { Downloads, enableDownloads } from "./controls/downloads.mjs";
import { setUpDropping } from "./controls/dropped.mjs";
import { setUpFocus } from "./controls/focus.mjs";
import { setUpHelp } from "./controls/help.mjs";
import { ImageOpener } from "./controls/images.mjs";
import { setUpKeyboard } from "./controls/keyboard.mjs";
import { Depth } from "./controls/depth.mjs";
import { LearnChannels } from "./controls/learnchannels.mjs";
import { LookPanel } from "./controls/look.mjs";
import { setUpLooking } from "./controls/looking.mjs";
import { Measure } from "./controls/measure.mjs";
import { Objects } from "./controls/objects.mjs";
import { Overlay } from "./controls/overlay.mjs";
import { Overview } from "./controls/overview.mjs";
import { setUpPeople } from "./controls/people.mjs";
import { Plots } from "./controls/plots.mjs";
import { Pointer } from "./controls/pointer.mjs";
import { Series } from "./controls/series.mjs";
import { Sigmas } from "./controls/sigmas.mjs";
import { StackSegmenter } from "./controls/stacks.mjs";
import { openTab, setUpTabs } from "./controls/tabs.mjs";
import { setUpTitle } from "./controls/title.mjs";
import { Whole } from "./controls/whole.mjs";
import { Wholes } from "./controls/wholes.mjs";
import { sessionId } from "./page/context.mjs";
import { renderPage } from "./page/dash.mjs";
import { graphIsDrawn, watchStrokes, whenRelayouted } from "./page/graph.mjs";
import { Explaining } from "./session/explaining.mjs";
import { Features } from "./session/features.mjs";
import { Session } from "./session/session.mjs";
import { base } from "./shared/base.mjs";
import { setUpShell } from "./shared/shell.mjs";

/**
 * What opens images: from files, and by their addresses where the server does so.
 * @param {Session} session
 */
function imageOpener(session) {
  const images = new ImageOpener(session);
  if (document.getElementById("open-address")) new AddressOpener(images);
  return images;
}

/**
 * Set the page up, now that Dash has laid it out.
 * @param {string} id of the session
 */
function setUp(id) {
  setUpShell();
  setUpHelp();
  const session = new Session(id, (available, state) => {
    enableDownloads(available, state);
    for (const one of [series, stacks, whole]) one.enable(available.result);
    series.measure(state.measured);
  });
  const images = imageOpener(session);
  const classifiers = new ClassifierOpener(session);
  const downloads = new Downloads(session);
  const series = new Series(session, (image) => images.take(image));
  const stacks = new StackSegmenter(session);
  const wholes = new Wholes(session, () => openTab("home"), (image, part) => whole.hear(image, part));
  const whole = new Whole(session, () => wholes.look(), (image, part) => wholes.hear(image, part));
  const objects = new Objects(session);
  const plots = new Plots(session, objects);
  const features = new Features(session);
  setUpTabs((name) => {
    series.show(name === "series");
    whole.show(name === "home");
    features.show(name === "learn");
    objects.show(name === "objects" || plots.open);
  });
  setUpDropping({
    sendToSeries: (files) => series.drop(files),
    openImages: (files) => images.open(files),
    openClassifier: (file) => classifiers.open(file),
  });
  setUpTitle(session);
  setUpPeople(session);
  const measure = new Measure(session);
  session.cleanUp.pixelSize = () => measure.size;
  const look = new LookPanel(session);
  const overlay = new Overlay(session);
  const overview = new Overview(session);
  const learnChannels = new LearnChannels(session);
  const pointer = new Pointer(session, () => measure.size, (values) => look.showValues(values));
  const lengths = [Sigmas, Depth].map((Control) => new Control(session, () => measure.size));
  session.onSight = () => {
    measure.show().then(() => session.cleanUp.showAgain());
    objects.notice();
    features.update();
    whole.notice();
    for (const one of [look, learnChannels, overlay, overview, ...lengths]) one.show();
    pointer.showAgain();
  };
  setUpClassImport(session);
  setUpLooking();
  new Explaining(session).listen();
  setUpFocus(session);
  setUpKeyboard(session);
  setUpButtons(session, () => classifiers.choose());
  watchStrokes();
  whenRelayouted(() => session.drawing.harvest());
  session.start();
  document.documentElement.dataset.ready = "true";
  return { session, images, downloads, measure, look };
}

/**
 * Lay the page out, and set it up.
 * @param {string} id of the session
 */
function start(id) {
  const page = graphIsDrawn().then(() => setUp(id));
  /** @type {(work: (parts: Awaited<typeof page>, value: any) => void) => (value: any) => void} */
  const oncePageIsSetUp = (work) => (value) => { page.then((parts) => work(parts, value)); };
  renderPage({
    harvest: oncePageIsSetUp(({ session }) => session.drawing.harvest()),
    features: oncePageIsSetUp(({ session }, settings) => { if (settings) session.chooseFeatures(settings); }),
    forest: oncePageIsSetUp(({ session }, settings) => { if (settings) session.chooseForest(settings); }),
    switches: oncePageIsSetUp(({ session }, values) => session.chooseView({
      live: values.includes("live"), shown: values.includes("shown"), strokes: values.includes("strokes"),
    })),
    opacity: oncePageIsSetUp(({ session }, value) => session.chooseView({ opacity: Number(value) })),
    along: oncePageIsSetUp(({ downloads }, values) => { downloads.along = values; }),
  });
  return page;
}

/** The parts of the page, once it is set up: what the tests in a browser look at. Without a session there is none. */
export const page = sessionId ? start(sessionId) : null;

if (!page) window.location.replace(base);
