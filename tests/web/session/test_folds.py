"""The page and the server fold the same events to the same state, whatever people do in whatever order."""

import json

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from segmentation.strokes.stroke import Stroke
from segmentation.web.session import journal_fold
from segmentation.web.session.events import check_event
from segmentation.web.session.journal_fold import UNDOABLE, JournalFold, fold
from tests.support import ROOT
from tests.support.events import STACK, START, image
from tests.support.fold_events import (
    AUTHORS,
    CLASS_IDS,
    CLASS_IDS_OF_STROKES,
    COLOURS,
    FEATURES,
    FILES,
    FORESTS,
    IMAGES,
    NAMES,
    NONSENSE,
    SHAPES,
    SIZES,
    STEPS,
    UNNAMED,
    WEIGHTS,
)
from tests.support.node import Script


@pytest.fixture(scope="module")
def page():
    """The page's fold, which runs in Node."""
    script = Script(ROOT / "tests/support/fold.mjs", json.dumps(UNNAMED))
    yield script.ask
    script.stop()


def as_the_server_folds(events):
    state = fold(events)
    strokes = {one: [stroke.to_json() for stroke in state.drawn.get(one, ())] for one in state.images}
    current = state.image["hash"]
    return {
        "name": state.name,
        "image": state.image,
        "images": [[facts, strokes[one]] for one, facts in state.images.items()],
        "elsewhere": [[one, drawn] for one, drawn in strokes.items() if one != current],
        "stacks": [[one, dict(stack)] for one, stack in state.stacks.items()],
        "measured": [[one, size] for one, size in state.measured.items()],
        "classes": [state.classes[one].to_json() for one in state.order],
        "hidden": sorted(state.hidden),
        "weights": sorted(map(list, state.weights.items())),
        "cleanUp": [step.to_json() for step in state.clean_up],
        "strokes": [stroke.to_json() for stroke in state.strokes],
        "corrections": [
            [one, [stroke.to_json() for stroke in state.corrections.get(one, ())]]
            for one in sorted(state.images, key=lambda one: one != current)
        ],
        "learnsCorrections": state.learns_corrections,
        "opened": state.opened and state.opened.facts,
        "keeps": state.keeps,
        "features": state.features.to_json(),
        "forest": state.forest.to_json(),
    }


class TwoFolds(RuleBasedStateMachine):
    """A session in which people do what they can, and both folds of its journal."""

    strokes = Bundle("strokes")
    undoable = Bundle("undoable")

    def __init__(self, page):
        super().__init__()
        self.page = page
        self.events = [START]
        self.offered = {}
        self.author = ""
        self.state = fold(self.events)
        self.fold = JournalFold()
        self.fold.add(self.events)

    def does(self, **event):
        """Append an event as the server does; its id, or nothing if it is refused."""
        event = {"id": f"e{len(self.events)}", **event}
        if self.author:
            event |= {"author": {"id": self.author, "name": ""}, "time": len(self.events)}
        checked = check_event(event)
        self.events.append(checked)
        return event["id"] if event["type"] in UNDOABLE else multiple()

    @initialize(opened=FILES, instead=st.none() | FILES)
    def begins_with_another_image(self, opened, instead):
        self.opens_an_image(opened, instead)

    @rule(author=AUTHORS)
    def another_goes_on(self, author):
        self.author = author

    @rule(target=strokes, image=IMAGES, class_id=CLASS_IDS_OF_STROKES, shape=SHAPES)
    def draws(self, image, class_id, shape):
        stroke = {"id": f"s{len(self.events)}", "class_id": class_id, **shape}
        self.does(type="stroke.add", image=image, stroke=stroke)
        return stroke["id"]

    @rule(stroke=strokes, image=IMAGES, class_id=CLASS_IDS, shape=SHAPES)
    def draws_one_anew(self, stroke, image, class_id, shape):
        self.does(type="stroke.add", image=image, stroke={"id": stroke, "class_id": class_id, **shape})

    @rule(target=undoable, stroke=strokes, image=IMAGES, class_id=CLASS_IDS_OF_STROKES, shape=SHAPES)
    def changes_a_stroke(self, stroke, image, class_id, shape):
        return self.does(type="stroke.change", image=image, stroke={"id": stroke, "class_id": class_id, **shape})

    @rule(target=undoable, image=IMAGES, some=st.lists(strokes, max_size=4))
    def erases(self, image, some):
        return self.does(type="stroke.erase", image=image, strokes=some)

    @rule(
        target=undoable,
        image=IMAGES,
        class_id=CLASS_IDS_OF_STROKES,
        shape=SHAPES.filter(lambda shape: "class_id" not in shape),
    )
    def corrects(self, image, class_id, shape):
        stroke = {"id": f"c{len(self.events)}", "class_id": class_id, **shape}
        return self.does(type="correction.add", image=image, stroke=stroke)

    @rule(target=undoable, image=IMAGES, numbers=st.lists(st.integers(1, 30), max_size=9))
    def takes_corrections_away(self, image, numbers):
        return self.does(type="correction.erase", image=image, strokes=[f"c{number}" for number in numbers])

    @rule(target=undoable, learn=st.booleans())
    def learns_from_corrections_or_not(self, learn):
        return self.does(type="correction.learn", learn=learn)

    @rule(target=undoable, id=CLASS_IDS, name=NAMES, colour=COLOURS)
    def adds_a_class(self, **values):
        return self.does(**{"type": "class.add", "class": values})

    @rule(
        target=undoable,
        class_id=CLASS_IDS,
        change=st.fixed_dictionaries({}, optional={"name": NAMES, "colour": COLOURS}),
    )
    def changes_a_class(self, class_id, change):
        return self.does(type="class.change", class_id=class_id, **change)

    @rule(target=undoable, class_id=CLASS_IDS)
    def removes_a_class(self, class_id):
        return self.does(type="class.remove", class_id=class_id)

    @rule(target=undoable, source=CLASS_IDS, into=CLASS_IDS)
    def merges_classes(self, source, into):
        return self.does(**{"type": "class.merge", "from": source, "into": into})

    @rule(target=undoable, class_ids=st.lists(CLASS_IDS, unique=True))
    def orders_the_classes(self, class_ids):
        return self.does(type="class.order", class_ids=class_ids)

    @rule(target=undoable, class_ids=st.lists(CLASS_IDS, unique=True), name=NAMES, colour=COLOURS)
    def imports_classes(self, class_ids, name, colour):
        classes = [{"id": one, "name": name, "colour": colour} for one in class_ids]
        return self.does(type="class.import", classes=classes)

    @rule(class_id=CLASS_IDS, hidden=st.booleans())
    def hides_or_shows_a_class(self, class_id, hidden):
        self.does(type="class.hide", class_id=class_id, hidden=hidden)

    @rule(target=undoable, class_id=CLASS_IDS, weight=WEIGHTS)
    def weighs_a_class(self, class_id, weight):
        return self.does(type="class.weigh", class_id=class_id, weight=weight)

    @rule(target=undoable, steps=STEPS)
    def cleans_up(self, steps):
        return self.does(type="clean_up.change", steps=steps)

    @rule(opened=FILES, instead=st.none() | FILES, name=NAMES, large=st.booleans())
    def opens_an_image(self, opened, instead, name="cells.png", large=False):
        named = image(opened) | {"name": name} | ({"levels": [[4, 5]]} if large else {})
        self.does(type="image.open", image=named, **({} if instead is None else {"instead": instead}))

    @rule(name=NAMES)
    def opens_a_stack(self, name):
        stack = {"hash": STACK, "name": name, "pages": 6, "axes": [["z", 3], ["t", 2]]}
        stack |= {"channel_names": ["a", "b", "c"]}
        self.does(type="image.open", image=image() | stack)

    @rule(target=undoable, planes=st.lists(IMAGES, unique=True, max_size=4), name=NAMES, axis=st.sampled_from("zt"))
    def makes_a_stack(self, planes, name, axis):
        return self.does(type="stack.make", images=planes, name=name, axis=axis)

    @rule(target=undoable, removed=IMAGES)
    def removes_an_image(self, removed):
        return self.does(type="image.remove", image=removed)

    @rule(target=undoable, measured=IMAGES, size=SIZES)
    def types_the_size_of_pixels(self, measured, size):
        return self.does(type="image.measure", image=measured, pixel_size=size)

    @rule(
        target=undoable,
        class_ids=st.lists(CLASS_IDS, unique=True, max_size=2),
        again=st.lists(strokes, max_size=2, unique=True),
        drawn=st.dictionaries(IMAGES, st.lists(SHAPES, max_size=2), max_size=2),
    )
    def brings_strokes(self, class_ids, again, drawn):
        number = len(self.events)
        brought = {
            one: [
                {"id": again[n] if n < len(again) else f"b{number}-{n}", "class_id": 1, **shape}
                for n, shape in enumerate(shapes)
            ]
            for one, shapes in drawn.items()
        }
        classes = [{"id": one, "name": f"Brought {one}", "colour": "#654321"} for one in class_ids]
        return self.does(type="strokes.add", name="a.json", strokes=brought, classes=classes)

    @rule(target=undoable, left=IMAGES)
    def the_sample_leaves(self, left):
        return self.does(type="sample.leave", image=left)

    @rule(change=st.fixed_dictionaries({}, optional={"features": FEATURES, "forest": FORESTS}))
    def changes_settings(self, change):
        self.does(type="settings.change", **change)

    @rule(name=NAMES)
    def names_the_session(self, name):
        self.does(type="session.rename", name=name)

    @rule(
        target=undoable,
        class_ids=st.lists(CLASS_IDS, unique=True, min_size=1, max_size=3),
        features=FEATURES,
        forest=FORESTS,
        drawn=st.dictionaries(IMAGES, st.lists(SHAPES, max_size=2), max_size=2),
        more=st.fixed_dictionaries(
            {},
            optional={
                "keep": st.booleans(),
                "weights": st.dictionaries(CLASS_IDS.map(str), WEIGHTS, max_size=2),
                "clean_up": STEPS,
            },
        ),
    )
    def opens_a_classifier(self, class_ids, features, forest, drawn, more):
        number = len(self.events)
        strokes = {
            one: [
                Stroke.from_json({"id": f"o{number}-{n}", "class_id": class_ids[n % len(class_ids)], **shape}).to_json()
                for n, shape in enumerate(shapes)
            ]
            for one, shapes in drawn.items()
        }
        facts = {"hash": "c" * 64, "name": "a.squiggle", "channels": None, "trees": 9, "class_ids": class_ids}
        counts = {"images": [], "strokes": sum(map(len, strokes.values())), "pixels": 0}
        names = {1: "Void"}  # as a class may be called already
        classes = [{"id": one, "name": names.get(one, f"Opened {one}"), "colour": "#123456"} for one in class_ids]
        return self.does(
            type="classifier.open",
            classifier=facts | counts,
            classes=classes,
            features=features,
            forest=forest,
            strokes=strokes,
            **more,
        )

    @rule(target=undoable, keep=st.booleans())
    def keeps_the_classifier_or_not(self, keep):
        return self.does(type="classifier.keep", keep=keep)

    @rule(target=undoable)
    def closes_the_classifier(self):
        return self.does(type="classifier.close")

    @rule(kind=st.sampled_from(["undo", "redo"]))
    def presses_undo_or_redo(self, kind):
        event = self.offered[self.author][kind]
        if event is not None:
            self.does(type=kind, event=event)

    @rule(kind=st.sampled_from(["undo", "redo"]), event=undoable)
    def undoes_or_redoes_in_another_window(self, kind, event):
        self.does(type=kind, event=event)

    @rule(nonsense=NONSENSE)
    def sends_nonsense(self, nonsense):
        before = list(self.events)
        with pytest.raises(ValueError, match=r"\.$"):
            self.does(**nonsense)
        assert self.events == before

    @invariant()
    def both_folds_are_equal(self):
        seen = self.page(self.events)
        self.offered = seen.pop("offered")
        assert seen == as_the_server_folds(self.events)

    @invariant()
    def what_is_folded_as_it_comes_is_what_the_whole_journal_adds_up_to(self):
        before, self.state = self.state, fold(self.events)
        kept = self.fold.state()
        self.fold.add(self.events[len(self.fold.events) :])
        for found, whole in ((kept, before), (self.fold.state(), self.state)):
            assert found == whole
            assert list(found.images) == list(whole.images)
            assert list(found.drawn) == list(whole.drawn)

    @invariant()
    def each_undoes_and_redoes_their_own(self):
        by_id = {event["id"]: event for event in self.events}
        undone = set()
        for event in self.events:
            if event["type"] == "undo":
                undone.add(event["event"])
            elif event["type"] == "redo":
                undone.discard(event["event"])
        for author, targets in self.offered.items():
            for kind, target in targets.items():
                if target is not None:
                    assert author in ("", by_id[target].get("author", {"id": author})["id"])
                    assert (target in undone) == (kind == "redo")


@pytest.mark.slow
def test_both_folds_agree_after_each_event(page, monkeypatch):
    monkeypatch.setattr(journal_fold, "KEEP_EVERY", 3)
    monkeypatch.setattr(journal_fold, "KEPT_BYTES", 40_000)
    run_state_machine_as_test(lambda: TwoFolds(page), settings=settings(max_examples=60, stateful_step_count=40))
