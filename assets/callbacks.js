/* What Dash calls in the browser: it hands over what a control says, the session does the rest. */
(() => {
  "use strict";
  const squiggle = (window.squiggle ??= {});
  const { no_update: noUpdate } = window.dash_clientside ?? {};

  const quietly = (work) => (...values) => {
    squiggle.whenReady(() => work(...values));
    return noUpdate ?? window.dash_clientside.no_update;
  };

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    squiggle: {
      harvest: quietly(() => squiggle.session.drawing.harvest()),
      features: quietly((features) => features && squiggle.session.chooseFeatures(features)),
      forest: quietly((forest) => forest && squiggle.session.chooseForest(forest)),
      switches: quietly((values) => squiggle.session.chooseView({
        live: values.includes("live"), shown: values.includes("shown"), strokes: values.includes("strokes"),
      })),
      opacity: quietly((value) => squiggle.session.chooseView({ opacity: Number(value) })),
      strokeWidth: quietly((value) => squiggle.session.chooseView({ width: Number(value) })),
      along: quietly((values) => { squiggle.along = values; }),
    },
  });
})();
