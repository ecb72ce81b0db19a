"""Files that are no classifier files are refused with a sentence, however they came to be."""

import copy
import json
import re
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segmentation._shared.archive import npy_bytes, pack
from segmentation.model.modelfile import ModelFileError, load_model
from tests.support.modelfiles import (
    CLASSES,
    N_FEATURES,
    TRAINING,
    assert_same,
    members,
    with_facts,
)


def refused(data, sentence, **options):
    with pytest.raises(ModelFileError, match=sentence) as caught:
        load_model(data, **options)
    message = str(caught.value)
    assert message.startswith("This classifier file cannot be opened: ")
    assert message.endswith(".")
    assert "\n" not in message


def test_what_is_no_classifier_file(data):
    refused(b"", "not a zip archive")
    refused(b"\x80\x04\x95 a pickle .", "not a zip archive")
    refused(data[:-100], "not a zip archive, or not a whole one")
    refused(pack({}), "lacks classifier.json")
    refused(pack({"word/document.xml": b"<xml/>"}), "does not belong there")
    refused(pack({"classifier.json": b"{}"}), "not a classifier of Squiggle")
    refused(pack({"classifier.json": b"[]"}), "not a classifier of Squiggle")
    refused(pack({"classifier.json": b'{"format": "squiggle-strokes", "version": 1}'}), "not a classifier of Squiggle")
    refused(pack({"classifier.json": b"not json"}), "classifier.json is not valid JSON")
    refused(pack({"classifier.json": b"[" * 1_000_000}), "nested too deeply")
    refused(pack({"classifier.json": b'{"version": "\\ud800"}'}), "not valid JSON")


def test_a_pickle_among_the_members_is_not_even_looked_at(data):
    import pickle

    parts = members(data)
    del parts["strokes.json"]
    refused(pack(parts | {"model.pkl": pickle.dumps([])}), "does not belong there, 'model.pkl'")
    refused(pack(parts | {"forest/roots.npy": pickle.dumps([])}), "no array|not the size")


def test_files_of_other_versions(data):
    refused(with_facts(data, lambda facts: facts.update(version=3)), "newer version of Squiggle, so update")
    for version in (0, -1, "1", None, 1.5, [1], True):
        refused(with_facts(data, lambda facts, v=version: facts.update(version=v)), "version")
    refused(pack({"classifier.json": b'{"format": "squiggle-classifier", "version": 99, "x": {}}'}), "newer version")


def test_each_member_is_needed(data):
    for name in members(data):
        if name != "strokes.json":
            parts = members(data)
            del parts[name]
            refused(pack(parts), f"lacks {re.escape(name)}")
    without = members(data)
    del without["strokes.json"]
    assert load_model(pack(without)).strokes is None


def test_each_fact_is_needed(data):
    for key in json.loads(members(data)["classifier.json"]):
        refused(
            with_facts(data, lambda facts, k=key: facts.pop(k)), "lacks|missing|not a classifier|version|does not count"
        )
    refused(with_facts(data, lambda facts: facts.update(extra=1)), "'extra', which this version of Squiggle cannot use")
    refused(with_facts(data, lambda facts: facts["features"].update(ridges=True)), "'ridges', which this version")
    refused(with_facts(data, lambda facts: facts.update(version=1)), "unknown key 'constants'")


UNUSED = {"class_weights": None, "clean_up": []}

UNUSED_FEATURES = {"learned": False, "dimensions": 2, "by_channel": None}


def test_what_is_named_but_not_used_changes_nothing(contents, data):
    def of_later(facts):
        facts.update(UNUSED)
        facts["features"].update(UNUSED_FEATURES)

    assert_same(load_model(with_facts(data, of_later)), contents)


def test_learned_features_that_the_forest_does_not_see_are_refused(data):
    refused(with_facts(data, lambda facts: facts["features"].update(learned=0)), "'learned' has a value of the wrong")
    refused(with_facts(data, lambda facts: facts["features"].update(learned=True)), "but the forest sees")


def test_features_of_no_possible_dimensions_are_refused(data):
    refused(with_facts(data, lambda facts: facts["features"].update(dimensions=4)), "2 or 3 dimensions")


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("channels", 0, "channels"),
        ("channels", 10**6, "channels"),
        ("channels", 3, "image with 3 channels"),
        ("clean_up", None, "JSON array"),
        ("clean_up", [{"step": "fill holes"}], "lacks 'kind'"),
        ("clean_up", [{"kind": "polish"}], "one of fill_holes"),
        ("clean_up", [{"kind": "smooth", "size": 1e9}], "whole number between 1 and 50"),
        ("clean_up", [{"kind": "smooth", "size": 1}] * 33, "at most 32"),
        ("class_weights", [1.5], "JSON object"),
        ("class_weights", {"two": 1.5}, "JSON object with a number for each class"),
        ("class_weights", {"2": 0}, "weight of a class must be between 0.01 and 100"),
        ("class_weights", {"2": "1"}, "weight of a class must be a number"),
        ("class_weights", {"3": 1.5}, "no class 3 to be weighed"),
        ("class_ids", [2, 5], "shape|size"),
        ("class_ids", [2, 5, 9.0], "class id"),
        ("class_ids", [2, 5, 300], "class id"),
        ("class_ids", [9, 5, 2], "do not ascend"),
        ("class_ids", list(range(300)), "at most 255"),
        ("classes", CLASSES[0].to_json(), "JSON array"),
        ("classes", [CLASSES[0].to_json()], "has no name"),
        ("classes", [CLASSES[0].to_json()] * 3, "same id"),
        ("classes", [{"id": 1, "name": "a\x1b[31m", "colour": "#000000"}], "cannot be shown"),
        ("features", [], "JSON object"),
        ("features", {"sigma_max": 1000}, "sigma"),
        ("features", {"sigma_max": "1"}, "wrong type"),
        ("constants", [], "constants"),
        ("constants", {"low": 0.0}, "lacks"),
        ("constants", {"low": 0.5, "offset": 0.1}, "low of the constants"),
        ("constants", {"low": 0.0, "offset": 0.0}, "offset of the constants"),
        ("features", {"sigma_max": -(10**17)}, "sigma"),
        ("features", {"eval": "1"}, "eval"),
        ("settings", {"kind": "os.system"}, "kind of forest"),
        ("settings", {"n_jobs": 2}, "n_jobs"),
        ("settings", None, "JSON object"),
        ("forest", {"features": 4, "trees": 12}, "lacks 'nodes'"),
        ("forest", {"features": 4, "trees": 12, "nodes": 10**9}, "not the size"),
        ("forest", {"features": 4, "trees": 10**9, "nodes": 100}, "number of trees"),
        ("forest", {"features": 4, "trees": -1, "nodes": 100}, "number of trees"),
        ("forest", {"features": 10**9, "trees": 12, "nodes": 100}, "number of features"),
        ("pixels", 10**9, "not the size"),
        ("pixels", -1, "number of training pixels"),
        ("pixels", None, "does not count the training pixels"),
        ("settings", {"kind": "extra_trees"}, "ranges, for which the settings do not ask"),
        ("training", [], "JSON object"),
        ("training", {"images": [1]}, "training image"),
        ("training", {"images": [{"hash": 5}]}, "hash of a training image"),
        ("training", {"images": [TRAINING["images"][0] | {"rows": "1"}]}, "rows of a training image"),
        ("training", {"images": [TRAINING["images"][0] | {"value_range": [0, "x"]}]}, "value range"),
        ("training", {"strokes": {"x": 1}}, "no class"),
        ("training", {"labelled_pixels": {"1": -1}}, "labelled_pixels"),
        ("training", {"training_pixels": [1]}, "training_pixels"),
        ("versions", {"numpy": 2}, "version"),
        ("versions", ["2"], "versions"),
    ],
)
def test_facts_that_cannot_be(data, key, value, sentence):
    refused(with_facts(data, lambda facts: facts.update({key: value})), sentence)


@pytest.mark.parametrize(
    ("strokes", "sentence"),
    [
        (b"{}", "JSON array"),
        (b"[{}]", "stroke"),
        (b"[NaN]", "NaN"),
        (b'[{"id": "a", "class_id": 3, "kind": "path", "path": "M1,1", "width": 2}]', "Class 3|class 3"),
        (b'[{"id": "a", "class_id": 2, "kind": "path", "path": "M1,1", "width": 1e99}]', "width"),
    ],
)
def test_strokes_that_cannot_be(data, strokes, sentence):
    refused(pack(members(data) | {"strokes.json": strokes}), sentence)


def test_trees_that_cannot_be(contents, data):
    forest = contents.forest
    nodes, inner = len(forest.feature), int(np.flatnonzero(forest.feature >= 0)[0])
    leaf = int(np.flatnonzero(forest.feature < 0)[0])
    for name, at, value, sentence in [
        ("roots", 0, nodes, "roots"), ("roots", 0, -1, "roots"), ("roots", 1, 0, "roots"),
        ("roots", -1, nodes, "roots"), ("left", inner, nodes, "lead on"), ("left", inner, -1, "lead on"),
        ("left", inner, -(2**31), "lead on"),
        ("left", inner, inner, "lead on"), ("right", inner, 0, "lead on"), ("right", inner, nodes - 1, "lead on"),
        ("left", leaf, 0, "lead on"), ("feature", inner, -1, "lead on"), ("feature", inner, -2, "compares"),
        ("feature", inner, N_FEATURES, "compares"), ("feature", inner, 2**31 - 1, "compares"),
        ("threshold", inner, np.nan, "threshold"), ("threshold", inner, np.inf, "threshold"),
        ("probabilities", leaf, np.nan, "add up"), ("probabilities", leaf, -1.0, "add up"),
        ("probabilities", leaf, 0.9, "add up"),
    ]:  # fmt: skip
        changed = getattr(forest, name).copy()
        changed[at] = value
        refused(pack(members(data) | {f"forest/{name}.npy": npy_bytes(changed)}), sentence)


def test_bins_that_do_not_belong_to_the_trees(contents, data):
    forest = contents.forest
    if forest.bins is None:
        refused(pack(members(data) | {"bins/low.npy": npy_bytes(np.zeros(N_FEATURES, np.float32))}), "does not count")
        return
    inner = int(np.flatnonzero(forest.feature >= 0)[0])
    feature = forest.feature[inner]
    for folder, name, at, value, sentence in [
        ("forest", "threshold", inner, np.nextafter(forest.threshold[inner], np.float32(9)), "none of the edges"),
        ("forest", "threshold", inner, np.float32(1e30), "none of the edges"),
        ("bins", "low", feature, forest.bins.low[feature] + 1, "none of the edges"),
        ("bins", "scale", feature, 0, "none of the edges"),
        ("bins", "low", 0, np.nan, "finite"),
        ("bins", "scale", 0, -1, "negative"),
        ("forest", "samples", 0, 1, "samples of a node"),
        ("forest", "samples", -1, 0, "samples of a node"),
        ("forest", "impurity", 0, 1, "impurity"),
        ("forest", "impurity", 0, np.nan, "impurity"),
    ]:
        changed = getattr(forest if folder == "forest" else forest.bins, name).copy()
        changed[at] = value
        refused(pack(members(data) | {f"{folder}/{name}.npy": npy_bytes(changed)}), sentence)
    refused(with_facts(data, lambda facts: facts["forest"].update(bins=32)), "number of bins")
    refused(with_facts(data, lambda facts: facts["forest"].pop("bins")), "does not count the bins")


def test_arrays_of_other_types_or_shapes(contents, data):
    for name in ("roots", "feature", "threshold", "left", "right", "probabilities"):
        array = getattr(contents.forest, name)
        for other in (array.astype(">f4"), array.astype(np.int64), array[:-1], array[None], np.asfortranarray(array.T)):
            if other.shape != array.shape or other.dtype.newbyteorder("<") != array.dtype:
                refused(pack(members(data) | {f"forest/{name}.npy": npy_bytes(other)}), f"forest/{name}.npy")


@pytest.mark.slow
def test_files_that_are_too_large(data):
    refused(data, "more than 1,000 bytes", max_bytes=1000)
    refused(BytesIO(data), "more than 1,000 bytes", max_bytes=1000)
    refused(data, "unpacks to", max_bytes=len(data))
    refused(pack(members(data) | {"strokes.json": b" " * (1 << 26)}), "strokes.json unpacks to")
    refused(pack(members(data) | {"forest/left.npy": b"\0" * (1 << 28)}), "cannot hold")


def opens_or_refuses(data):
    try:
        return load_model(data)
    except ModelFileError:
        return None


@settings(deadline=None, max_examples=400)
@given(st.integers(0, 2**20), st.integers(1, 255))
def test_a_flipped_byte_is_refused_or_changes_nothing(contents, data, place, bits):
    changed = bytearray(data)
    changed[place % len(data)] ^= bits
    loaded = opens_or_refuses(bytes(changed))
    if loaded is not None:
        assert_same(loaded, contents)


@settings(deadline=None, max_examples=100)
@given(st.data())
def test_a_part_of_a_file_is_refused(data, draw):
    start = draw.draw(st.integers(0, len(data)))
    stop = draw.draw(st.integers(start, len(data)))
    if stop - start < len(data):
        assert opens_or_refuses(data[:start] + data[stop:]) is None or start == stop
        assert opens_or_refuses(data[start:stop]) is None


@settings(deadline=None, max_examples=100)
@given(st.data())
def test_swapped_members_are_refused_or_predict_something(data, rows, draw):
    parts = members(data)
    names = draw.draw(st.permutations(list(parts)))
    first, second = names[:2]
    parts[first], parts[second] = parts[second], parts[first]
    loaded = opens_or_refuses(pack(parts))
    if loaded is not None:
        predicted = loaded.forest.predict_proba(np.ascontiguousarray(rows.T))
        np.testing.assert_allclose(predicted.sum(axis=0), 1, atol=1e-5)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=6,
)


def places(value, place=()):
    yield place
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[key], (*place, key))


LARGE = st.integers(0, 2**16)
"""More than there are places, so that what is drawn does not depend on the kind of forest."""


@pytest.mark.slow
@settings(deadline=None, max_examples=300)
@given(st.data())
def test_any_change_of_the_facts_is_refused_or_understood(data, draw):
    parts = members(data)
    name = draw.draw(st.sampled_from(["classifier.json", "strokes.json"]))
    changed = [json.loads(parts[name])]
    known = list(places(changed))[1:]
    place = known[draw.draw(LARGE) % len(known)]
    holder = changed
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = draw.draw(json_values | st.just(copy.deepcopy(holder)))
    opens_or_refuses(pack(parts | {name: json.dumps(changed[0]).encode()}))


TREES = ("roots", "feature", "threshold", "left", "right", "probabilities", "samples", "impurity")


@pytest.mark.slow
@settings(deadline=None, max_examples=300)
@given(
    st.sampled_from([*TREES, "low", "scale"]),
    st.lists(st.tuples(LARGE, LARGE, st.floats(width=32)), min_size=1, max_size=3),
)
def test_any_change_of_the_trees_is_refused_or_predicts_something(data, rows, contents, name, changes):
    folder, holder = ("forest", contents.forest) if name in TREES else ("bins", contents.forest.bins)
    if getattr(holder, name, None) is None:
        return
    array = getattr(holder, name).copy()
    for at, number, value in changes:
        whole = number % (len(contents.forest.feature) + 6) - 3
        array.flat[at % array.size] = whole if array.dtype.kind == "i" else value
    loaded = opens_or_refuses(pack(members(data) | {f"{folder}/{name}.npy": npy_bytes(array)}))
    if loaded is not None:
        predicted = loaded.forest.predict_proba(np.ascontiguousarray(rows.T))
        np.testing.assert_allclose(predicted.sum(axis=0), 1, atol=1e-5)
