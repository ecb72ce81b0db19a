"""The forest as an ONNX model, for programs that know nothing of Squiggle.

The model takes rows of features, float32 ``(pixels, features)``, as :func:`segmentation.compute_features` gives
them, and returns ``class_id``, int64 ``(pixels,)``, and
``probabilities``, float32 ``(pixels, classes)``. The trees are a ``TreeEnsembleClassifier`` that adds in float64 as
ours do; of equal probabilities the first class wins, as with ours. Class weights are nodes behind it.

ONNX files are protocol buffers. The few messages that are needed are written here by their field numbers, which
https://github.com/onnx/onnx/blob/main/onnx/onnx.proto defines, so that nothing has to be installed for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation.model.modelfile import ModelContents
from segmentation.model.weights import whole_weights
from segmentation.version import __version__

_IR_VERSION, _OPSET, _ML_OPSET = 8, 17, 3
_FLOAT, _INT64, _DOUBLE = 1, 7, 11
_ATTRIBUTE_STRING, _ATTRIBUTE_TENSOR, _ATTRIBUTE_INTS, _ATTRIBUTE_STRINGS = 3, 4, 7, 8
_ATTRIBUTE_INT = 2


def onnx_bytes(contents: ModelContents) -> bytes:
    """The ONNX model of a classifier's forest.

    The metadata of the model name the classes (``classes``), the features (``features``, the feature spec) and the
    constants that these take from the training images (``constants``, if there are any), as JSON.

    Args:
        contents: of the classifier file.
    """
    classes = len(contents.class_ids)
    weighing, constants = _weighing(contents)
    shares, products = ("shares", "products") if weighing else ("probabilities", "probabilities")
    nodes = [
        _node("Cast", ["features"], ["exact"], _attribute_int("to", _DOUBLE)),
        _node("TreeEnsembleClassifier", ["exact"], ["first", shares], *_trees(contents), domain="ai.onnx.ml"),
        *weighing,
        _node("ArgMax", [products], ["index"], _attribute_int("axis", 1), _attribute_int("keepdims", 0)),
        _node("Gather", ["class_ids", "index"], ["class_id"]),
    ]
    graph = b"".join(
        [
            *(_message(1, node) for node in nodes),
            _text(2, "squiggle"),
            _message(5, _tensor("class_ids", np.array(contents.class_ids, np.int64))),
            *(_message(5, _tensor(name, values)) for name, values in constants.items()),
            _message(11, _value("features", _FLOAT, "pixels", contents.forest.n_features)),
            _message(12, _value("class_id", _INT64, "pixels")),
            _message(12, _value("probabilities", _FLOAT, "pixels", classes)),
        ]
    )
    named = [one.to_json() for one in contents.classes if one.id in contents.class_ids]
    metadata = {"classes": json.dumps(named), "features": json.dumps(contents.spec.to_json())}
    if contents.spec.constants is not None:
        metadata["constants"] = json.dumps(contents.spec.constants.to_json())
    return b"".join(
        [
            _number(1, _IR_VERSION),
            _text(2, "squiggle"),
            _text(3, __version__),
            _message(7, graph),
            _message(8, _text(1, "") + _number(2, _OPSET)),
            _message(8, _text(1, "ai.onnx.ml") + _number(2, _ML_OPSET)),
            *(_message(14, _text(1, key) + _text(2, value)) for key, value in metadata.items()),
        ]
    )


def _weighing(contents: ModelContents) -> tuple[list[bytes], dict[str, NDArray[Any]]]:
    """The nodes that turn ``shares`` into ``products`` with class weights, and these into ``probabilities``.

    As in :mod:`segmentation.forest.weighing`, shares of trees that vote are whole numbers of votes.
    """
    weights = whole_weights(contents.class_weights, contents.class_ids)
    if weights is None:
        return [], {}
    trees = contents.forest.n_trees
    voting = [
        _node("Mul", ["exact_shares", "trees"], ["about_votes"]),
        _node("Round", ["about_votes"], ["votes"]),
    ]
    nodes = [
        _node("Cast", ["shares"], ["exact_shares"], _attribute_int("to", _DOUBLE)),
        *(voting if contents.forest.leaves_vote else []),
        _node("Mul", ["votes" if contents.forest.leaves_vote else "exact_shares", "class_weights"], ["products"]),
        _node("ReduceSum", ["products", "axis_of_classes"], ["total"], _attribute_int("keepdims", 1)),
        _node("Div", ["products", "total"], ["exact_probabilities"]),
        _node("Cast", ["exact_probabilities"], ["probabilities"], _attribute_int("to", _FLOAT)),
    ]
    constants: dict[str, NDArray[Any]] = {"class_weights": weights.astype(np.float64), "axis_of_classes": np.array([1])}
    return nodes, constants | ({"trees": np.array([float(trees)])} if contents.forest.leaves_vote else {})


def _trees(contents: ModelContents) -> list[bytes]:
    """The attributes of a TreeEnsembleClassifier: nodes by tree, and the share of each class at each leaf."""
    forest = contents.forest
    tree, node = _places(forest.roots, forest.left, forest.right)
    leaf = forest.feature < 0
    leaves = np.flatnonzero(leaf)
    classes = forest.n_classes
    shares = forest.probabilities[leaves] / forest.n_trees
    return [
        _attribute_ints("nodes_treeids", tree),
        _attribute_ints("nodes_nodeids", node),
        _attribute_ints("nodes_featureids", np.where(leaf, 0, forest.feature)),
        _attribute_strings("nodes_modes", np.where(leaf, "LEAF", "BRANCH_LEQ").tolist()),
        _attribute_tensor("nodes_values_as_tensor", forest.threshold.astype(np.float64)),
        _attribute_ints("nodes_truenodeids", np.where(leaf, 0, node[forest.left])),
        _attribute_ints("nodes_falsenodeids", np.where(leaf, 0, node[forest.right])),
        _attribute_ints("class_treeids", np.repeat(tree[leaves], classes)),
        _attribute_ints("class_nodeids", np.repeat(node[leaves], classes)),
        _attribute_ints("class_ids", np.tile(np.arange(classes), len(leaves))),
        _attribute_tensor("class_weights_as_tensor", shares.ravel()),
        _attribute_ints("classlabels_int64s", np.arange(classes)),
        _attribute_string("post_transform", "NONE"),
    ]


def _places(
    roots: NDArray[np.int32], left: NDArray[np.int32], right: NDArray[np.int32]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The tree of each node, and the node's number in its tree, counted from the root."""
    tree = np.full(len(left), -1, np.int64)
    tree[roots] = np.arange(len(roots))
    layer = roots
    while len(layer):
        inner = layer[left[layer] >= 0]
        layer = np.concatenate([left[inner], right[inner]])
        tree[layer] = np.tile(tree[inner], 2)
    node = np.arange(len(left)) - roots[tree]
    return tree, node


# Protocol buffers


def _varint(value: int) -> bytes:
    value &= 2**64 - 1
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _message(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _text(field: int, text: str) -> bytes:
    return _message(field, text.encode())


def _packed(field: int, values: Iterable[int]) -> bytes:
    return _message(field, b"".join(map(_varint, values)))


# ONNX


def _node(operator: str, inputs: list[str], outputs: list[str], *attributes: bytes, domain: str = "") -> bytes:
    return b"".join(
        [
            *(_text(1, name) for name in inputs),
            *(_text(2, name) for name in outputs),
            _text(3, outputs[0]),
            _text(4, operator),
            *(_message(5, attribute) for attribute in attributes),
            _text(7, domain),
        ]
    )


def _attribute_int(name: str, value: int) -> bytes:
    return _text(1, name) + _number(3, value) + _number(20, _ATTRIBUTE_INT)


def _attribute_string(name: str, value: str) -> bytes:
    return _text(1, name) + _text(4, value) + _number(20, _ATTRIBUTE_STRING)


def _attribute_tensor(name: str, values: NDArray[Any]) -> bytes:
    return _text(1, name) + _message(5, _tensor(name, values)) + _number(20, _ATTRIBUTE_TENSOR)


def _attribute_ints(name: str, values: NDArray[Any]) -> bytes:
    return _text(1, name) + _packed(8, values.tolist()) + _number(20, _ATTRIBUTE_INTS)


def _attribute_strings(name: str, values: list[str]) -> bytes:
    return _text(1, name) + b"".join(_text(9, value) for value in values) + _number(20, _ATTRIBUTE_STRINGS)


def _tensor(name: str, values: NDArray[Any]) -> bytes:
    kind = _INT64 if values.dtype == np.int64 else _DOUBLE
    raw = np.ascontiguousarray(values, values.dtype.newbyteorder("<")).tobytes()
    return _packed(1, values.shape) + _number(2, kind) + _text(8, name) + _message(9, raw)


def _value(name: str, kind: int, *dimensions: int | str) -> bytes:
    shape = b"".join(_message(1, _text(2, one) if isinstance(one, str) else _number(1, one)) for one in dimensions)
    return _text(1, name) + _message(2, _message(1, _number(1, kind) + _message(2, shape)))
