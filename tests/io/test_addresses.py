"""Only what an operator allows is opened, however an address is written."""

import os

import pytest

from segmentation.io.addresses import Address, AddressPath, Places, image_path, is_public
from segmentation.io.limits import ImageError

PLACES = Places.parse("https://images.org/public/zarr, s3://slides/open, http://10.0.0.7:8080")


@pytest.mark.parametrize(
    "text",
    [
        "https://images.org/public/zarr/cells.zarr",
        "HTTPS://Images.ORG:443/public/zarr/cells.zarr/",
        "https://images.org/public/zarr",
        "https://images.org/public/zarr/%63ells%20of%20day%201.zarr",
        "s3://slides/open/a/b.zarr",
        "http://10.0.0.7:8080/anything",
    ],
)
def test_what_lies_in_an_allowed_place_is_found(text):
    found = PLACES.find(text)
    assert Address.parse(found.url) == found
    assert PLACES.names_host(found)


@pytest.mark.parametrize(
    "text",
    [
        "https://images.org/public/zarr-secret/x.zarr",
        "https://images.org/public",
        "https://images.org/public/zarr/../../private",
        "https://images.org/public/zarr/%2e%2e/%2e%2e/private",
        "https://images.org/public/zarr/%252e%252e/private",
        "https://[fe80::1%br.lan]/public/zarr",
        "https://images.org/public/zarr/..%2f..%2fprivate",
        "https://images.org/public/zarr/..\\..\\private",
        "https://images.org/public//zarr/x.zarr",
        "https://images.org/public/zarr/./x",
        "https://images.org/public/zarr/x%00y",
        "https://images.org/public/zarr/x%ff",
        "https://images.org/public/zarr/x\nHost: evil",
        "https://images.org/public/zarr/x?list",
        "https://images.org/public/zarr/x#y",
        "https://images.org:8443/public/zarr/x",
        "https://images.org:0/public/zarr/x",
        "https://images.org:99999999/public/zarr/x",
        "http://images.org/public/zarr/x",
        "https://user:word@images.org/public/zarr/x",
        "https://images.org@evil.org/public/zarr/x",
        "https://images.org\\@evil.org/public/zarr/x",
        "https://images.org.evil.org/public/zarr/x",
        "https://evil.org/https://images.org/public/zarr/x",
        "https://[::1]/public/zarr/x",
        "https://[::ffff:10.0.0.7]/",
        "http://10.0.0.7/x",
        "http://0x0a000007:8080/x",
        "http://167772167:8080/x",
        "http://10.7:8080/x",
        "http://169.254.169.254/latest/meta-data",
        "s3://slides/opened/x",
        "s3://slides",
        "s3://other/open/x",
        "s3://slides:80/open/x",
        "file:///etc/passwd",
        "file://images.org/public/zarr/x",
        "ftp://images.org/public/zarr/x",
        "gopher://images.org",
        "github://x/y",
        "simplecache::https://images.org/public/zarr/x",
        "https://images.org/public/zarr/x::file:///etc/passwd",
        "zip://x::https://images.org/public/zarr/x",
        "//images.org/public/zarr/x",
        "images.org/public/zarr/x",
        "/etc",
        "",
        "https://",
        "https:///public/zarr/x",
        "https://images.org/public/zarr/" + "x" * 3_000,
    ],
)
def test_nothing_else_is(text):
    try:
        found = PLACES.find(text)
    except ImageError as error:
        assert str(error).endswith(".")  # noqa: PT017 - a few are read as a name within the place
    else:
        assert "::" in text
        assert found.parts[:2] == ("public", "zarr")
        assert Address.parse(found.url) == found


def test_every_host_with_a_public_name_can_be_allowed():
    everywhere = Places.parse("https://*")
    assert everywhere.find("https://some.host.org/x").host == "some.host.org"
    assert not everywhere.names_host(everywhere.find("https://some.host.org/x"))
    for text in (
        "https://127.0.0.1/x",
        "https://8.8.8.8/x",
        "https://0x7f.1/x",
        "http://some.host.org/x",
        "https://2130706433/",
    ):
        with pytest.raises(ImageError, match=r"\.$"):
            everywhere.find(text)


@pytest.mark.parametrize(
    "text", ["ftp://images.org", "https://u@images.org", "relative/folder", "https://images.org/.."]
)
def test_a_place_that_is_none_is_said(text):
    with pytest.raises(ValueError, match="is no place from which images can be opened"):
        Places.parse(text)


def test_which_ip_addresses_are_public():
    assert all(map(is_public, ["8.8.8.8", "2001:4860:4860::8888", "::ffff:8.8.8.8"]))
    private = ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "::1",
               "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1", "2002:7f00:1::", "224.0.0.1", "name.org",
               "64:ff9b::a9fe:a9fe", "::7f00:1"]  # fmt: skip
    assert not any(map(is_public, private))


def test_a_folder_is_found_by_its_listing_and_links_that_lead_out_of_it_are_refused(tmp_path):
    images, secret = tmp_path / "images", tmp_path / "secret.zarr"
    (images / "day 1" / "cells.zarr").mkdir(parents=True)
    secret.mkdir()
    os.symlink(secret, images / "link.zarr")
    os.symlink(images / "day 1", images / "within")
    places = Places.parse(f"{images}/")
    assert places.find(f"{images}/day 1/cells.zarr") == images / "day 1" / "cells.zarr"
    assert places.find(f"{images}/within/cells.zarr").name == "cells.zarr"
    for text in (
        str(secret),
        f"{images}/../secret.zarr",
        f"{images}/link.zarr",
        f"{images}/day 1/../../secret.zarr",
        f"{images}/%2e%2e/secret.zarr",
        f"{images}/nothing.zarr",
        f"file://{images}/day 1/cells.zarr",
        f"{images}x",
    ):
        with pytest.raises(ImageError, match=r"\.$"):
            places.find(text)


def test_an_address_is_a_path_with_two_slashes():
    path = image_path("https://Images.org/day 1/cells.ome.zarr/")
    assert isinstance(path, AddressPath)
    assert str(path) == os.fspath(path) == "https://images.org/day%201/cells.ome.zarr"
    assert path.name == "cells.ome.zarr"
    assert str(path.parent) == "https://images.org/day%201"
    assert image_path(path) == path == image_path(str(path))
    assert not isinstance(image_path("https:/x"), AddressPath)
