"""What controls say becomes settings, or a sentence."""

import pytest
from dash import no_update

from segmentation.web.pages.callbacks import STILL_IN_USE, check_features, check_forest

FEATURES = [["intensity"], 0.5, 8, None, [], []]
FOREST = ["extra_trees", 100, None, 5, 0, 50, 0]


def test_what_is_possible_has_no_sentence():
    for check, values in ((check_features, FEATURES), (check_forest, FOREST)):
        settings, sentence = check(*values)
        assert isinstance(settings, dict)
        assert not sentence


@pytest.mark.parametrize(
    "value", [10**400, -(10**400), float("inf"), "12", [1], {}, True], ids=lambda value: str(value)[:9]
)
@pytest.mark.parametrize(
    ("check", "values", "number"),
    [(check_features, FEATURES, number) for number in (1, 2, 3)] + [(check_forest, FOREST, n) for n in range(1, 7)],
)
def test_what_is_no_number_or_none_that_a_float_holds_has_a_sentence(check, values, number, value):
    settings, sentence = check(*values[:number], value, *values[number + 1 :])
    assert settings is no_update
    assert sentence.endswith(STILL_IN_USE)
