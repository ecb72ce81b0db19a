"""The browser and the server fold the same events to the same state."""

import random

from segmentation.features.spec import FeatureSpec
from segmentation.forest.settings import ForestSettings
from segmentation.web.session.journal_fold import UNDOABLE, fold
from tests.support.events import IMAGE, OTHER_IMAGE, START, THIRD_IMAGE, image

SEQUENCES = 150


def opening(number, class_id):
    """A classifier is opened, with a stroke that travelled along."""
    stroke = {"id": f"o{number}", "class_id": class_id, "kind": "path", "path": "M1,1L2,2", "width": 3}
    facts = {"hash": "c" * 64, "name": "a.squiggle", "channels": 3, "trees": 9, "class_ids": [class_id], "images": []}
    return {
        "type": "classifier.open",
        "classifier": facts | {"strokes": 1, "pixels": 0},
        "classes": [{"id": class_id, "name": "Opened", "colour": "#123456"}],
        "features": FeatureSpec(sigma_max=number + 1).to_json(),
        "forest": ForestSettings(n_estimators=number + 1).to_json(),
        "strokes": {IMAGE: [stroke]},
    }


def random_events(rng):
    """Whatever a person may do in whatever order, sensible or not."""
    events = [START]
    strokes, undoable = [], []
    for number in range(rng.randrange(1, 40)):
        event = {"id": f"e{number}"}
        kind = rng.choice(
            ["add"] * 4
            + ["erase", "class", "change", "remove", "hide", "undo", "undo", "redo", "image", "image", "gone", "name"]
            + ["open", "close", "redraw"]
        )
        class_id = rng.randrange(1, 5)
        if kind == "add":
            strokes.append(f"s{number}")
            stroke = {"id": strokes[-1], "class_id": class_id - 1, "kind": "path", "path": "M1,1L2,2", "width": 3}
            event |= {"type": "stroke.add", "image": rng.choice([IMAGE, OTHER_IMAGE]), "stroke": stroke}
        elif kind == "redraw":
            stroke = {
                "id": rng.choice(strokes or ["s"]),
                "class_id": class_id,
                "kind": "path",
                "path": "M1,1",
                "width": 4,
            }
            event |= {"type": "stroke.change", "image": rng.choice([IMAGE, OTHER_IMAGE]), "stroke": stroke}
        elif kind == "erase":
            some = rng.sample(strokes, rng.randrange(len(strokes) + 1))
            event |= {"type": "stroke.erase", "image": rng.choice([IMAGE, OTHER_IMAGE]), "strokes": some}
        elif kind == "class":
            event |= {"type": "class.add", "class": {"id": class_id, "name": f"n{number}", "colour": "#00ff00"}}
        elif kind == "change":
            change = rng.choice([{"name": f"n{number}"}, {"colour": f"#{number:06x}"}])
            event |= {"type": "class.change", "class_id": class_id} | change
        elif kind == "remove":
            event |= {"type": "class.remove", "class_id": class_id}
        elif kind == "hide":
            event |= {"type": "class.hide", "class_id": class_id, "hidden": rng.random() < 0.5}
        elif kind in ("undo", "redo"):
            event |= {"type": kind, "event": rng.choice(undoable or ["nothing"])}
        elif kind == "open":
            event |= opening(number, class_id)
        elif kind == "close":
            event |= {"type": "classifier.close"}
        elif kind == "gone":
            kind = rng.choice(["image.remove", "sample.leave"])
            event |= {"type": kind, "image": rng.choice([IMAGE, OTHER_IMAGE])}
        elif kind == "name":
            event |= {"type": "session.rename", "name": f"n{number}"}
        else:
            event |= {"type": "image.open", "image": image(rng.choice([IMAGE, OTHER_IMAGE, THIRD_IMAGE]))}
            if rng.random() < 0.5:
                event["instead"] = rng.choice([IMAGE, OTHER_IMAGE, THIRD_IMAGE])
        if event["type"] in UNDOABLE:
            undoable.append(event["id"])
        events.append(event)
    return events


def test_both_folds_agree(person):
    rng = random.Random(0)
    sequences = [random_events(rng) for _ in range(SEQUENCES)]
    folded = person.within(
        """async ({ session, load }, sequences) => {
          const { fold } = await load("journal/state.mjs");
          const unnamed = session.conversation.unnamed();
          return sequences.map((events) => {
            const state = fold(events, unnamed);
            const strokesOn = ({ hash }) => fold(events, unnamed, hash).strokes.map((stroke) => stroke.id);
            return {
              name: state.name,
              image: state.image.hash,
              images: state.images.map((image) => [image.hash, strokesOn(image)]),
              elsewhere: [...state.strokesElsewhere].map(([hash, strokes]) => [hash, strokes.length]),
              classes: state.classes.map(({ id, name, colour }) => [id, name, colour]),
              hidden: [...state.hidden].sort(),
              strokes: state.strokes.map((stroke) => [stroke.id, stroke.class_id, stroke.width]),
              opened: state.opened,
              settings: [state.features, state.forest],
            };
          });
        }""",
        sequences,
    )
    for events, seen in zip(sequences, folded, strict=True):
        state = fold(events)
        assert seen == {
            "name": state.name,
            "image": state.image["hash"],
            "images": [[one, [stroke.id for stroke in state.with_image(one).strokes]] for one in state.images],
            "elsewhere": [[one, len(state.drawn.get(one, ()))] for one in state.images if one != state.image["hash"]],
            "classes": [[c.id, c.name, c.colour] for c in state.classes.values()],
            "hidden": sorted(state.hidden),
            "strokes": [[stroke.id, stroke.class_id, stroke.width] for stroke in state.strokes],
            "opened": state.opened and state.opened.facts,
            "settings": [state.features.to_json(), state.forest.to_json()],
        }
