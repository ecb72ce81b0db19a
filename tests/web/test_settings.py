"""What the environment says, and what the server makes of it."""

import ipaddress
from pathlib import Path

import pytest

from segmentation.web.settings import Settings, meanings_of_variables, settings_from_environment


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch):
    for variable in meanings_of_variables():
        monkeypatch.delenv(variable, raising=False)


def test_an_empty_environment_gives_the_defaults(monkeypatch):
    assert settings_from_environment().model_dump() == Settings().model_dump()
    for variable in meanings_of_variables():
        monkeypatch.setenv(variable, "  ")
    assert settings_from_environment().model_dump() == Settings().model_dump()


@pytest.mark.parametrize(
    ("variable", "text", "attribute", "value"),
    [
        ("PORT", " 80 ", "port", 80),
        ("SQUIGGLE_QUOTA_MB", "0.5", "quota_bytes", 2**19),
        ("SQUIGGLE_MAX_MEGAPIXELS", "1.5", "max_pixels", 1_500_000),
        ("SQUIGGLE_KEEP_DAYS", "0.25", "keep_seconds", 6 * 3600),
        ("SQUIGGLE_OPEN", "YES", "open", True),
        ("SQUIGGLE_SERIES_IN_WEB", "0", "series_in_web", False),
        ("SQUIGGLE_REMOTE", " https://*, /srv/images ", "remote", "https://*, /srv/images"),
        ("SQUIGGLE_DATA", "/srv/squiggle", "data_folder", Path("/srv/squiggle")),
        ("SQUIGGLE_TRUSTED_PROXIES", "10.0.0.0/8", "trusted_proxies", (ipaddress.ip_network("10.0.0.0/8"),)),
    ],
)
def test_variables_are_read_in_their_units(monkeypatch, variable, text, attribute, value):
    monkeypatch.setenv(variable, text)
    assert getattr(settings_from_environment(), attribute) == value
    assert getattr(Settings(), attribute) != value, "only settings_from_environment reads the environment"


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("PORT", "70000"),
        ("WEB_CONCURRENCY", "0"),
        ("SQUIGGLE_THREADS", "1.5"),
        ("SQUIGGLE_QUOTA_MB", "-1"),
        ("SQUIGGLE_QUOTA_MB", "inf"),
        ("SQUIGGLE_KEEP_DAYS", "nan"),
        ("SQUIGGLE_KEEP_DAYS", "1e308"),
        ("SQUIGGLE_MAX_UPLOAD_MB", "1e308"),
        ("SQUIGGLE_MAX_MEGAPIXELS", "many"),
        ("SQUIGGLE_TRUSTED_PROXIES", "the router"),
        ("SQUIGGLE_OPEN", "perhaps"),
        ("SQUIGGLE_REMOTE", "file:///srv"),
    ],
)
def test_what_cannot_be_read_is_named_with_what_it_means(monkeypatch, variable, text):
    monkeypatch.setenv(variable, text)
    with pytest.raises(ValueError, match="cannot be read") as problem:
        settings_from_environment()
    assert str(problem.value) == f"{variable}={text!r} cannot be read; it means: {meanings_of_variables()[variable]}."


def test_a_secret_that_is_too_short_is_refused_and_not_repeated(monkeypatch):
    monkeypatch.setenv("SQUIGGLE_METRICS_TOKEN", "hush")
    with pytest.raises(ValueError, match="SQUIGGLE_METRICS_TOKEN cannot be read") as problem:
        settings_from_environment()
    assert "hush" not in str(problem.value)


def test_no_other_variable_opens_a_server_or_sets_anything(monkeypatch):
    for attribute in Settings.model_fields:
        monkeypatch.setenv(attribute, "1")
    assert settings_from_environment().model_dump() == Settings().model_dump()


def test_secrets_are_not_in_what_is_printed_of_settings():
    printed = repr(Settings(password="hush", database_url="postgresql://ada:hush@host/base", metrics_token="hush" * 4))
    assert "hush" not in printed


@pytest.mark.parametrize(("features", "kept"), [(75, 32), (256, 32), (1920, 240)])
def test_what_is_kept_of_how_objects_split_follows_the_memory(features, kept):
    assert Settings(feature_cache_bytes=features * 2**20).basin_bytes == kept * 2**20
