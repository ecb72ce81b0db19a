"""A real server, a real Chromium, a real mouse."""

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.support import PATIENCE_SECONDS
from tests.support.deployment import nginx_in_front_of
from tests.support.get_chromium import QUIET_CHROMIUM, find_chromium
from tests.support.person import PASSWORD, SIZES, Person
from tests.support.roundrobin import RoundRobin
from tests.support.server import Server, unit

expect.set_options(timeout=PATIENCE_SECONDS * 1000)


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("data"))
    server.start()
    server.wait_until_warm()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def two_servers(tmp_path_factory):
    """Two servers on one store behind a proxy that gives each request to the other one in turn."""
    folder = tmp_path_factory.mktemp("shared")
    servers = [Server(folder), Server(folder)]
    for server in servers:
        server.start()
    proxy = RoundRobin([server.port for server in servers])
    proxy.start()
    yield proxy
    proxy.stop()
    for server in servers:
        server.stop()


@pytest.fixture(scope="session")
def behind_nginx(tmp_path_factory):
    """What docs/deploy.md sets up on a server of one's own: nginx with TLS, a password, two processes."""
    server = unit(tmp_path_factory.mktemp("behind"), SQUIGGLE_PASSWORD=PASSWORD)
    server.start()
    try:
        server.wait_until_warm()
        with nginx_in_front_of(server.port) as nginx:
            yield nginx
    finally:
        server.stop()


@pytest.fixture(scope="session")
def chromium():
    path = find_chromium()
    assert path, "there is no Chromium: run `make test`, which installs it or says how"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=QUIET_CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture
def people(chromium):
    """Gives people, each with a browser window of their own; none of them may see an error in the console."""
    present = []

    def arrive(url, size="desktop", *, expect_offline=False, **options):
        width, height = SIZES[size]
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            accept_downloads=True,
            has_touch=size == "phone",
            ignore_https_errors=True,
            **options,
        )
        person = Person(context, url, expect_offline=expect_offline)
        present.append(person)
        return person

    yield arrive
    for person in present:
        errors = person.errors
        person.leave()
        assert not errors, errors


@pytest.fixture
def person(people, server):
    """Somebody at a desktop who opens the page for the first time."""
    return people(server.url)
