"""The page works within its own rules: nothing that its policy forbids, nobody else's server asked."""

import numpy as np
import pytest
import tifffile

WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.violations.push(`${event.violatedDirective}: ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`);
});
"""


@pytest.mark.parametrize("where", ["server", "behind_nginx"])
def test_the_page_keeps_to_its_policy_and_to_its_server(people, request, where, tmp_path):
    server = request.getfixturevalue(where)
    person = people(server.url)
    asked = []
    person.context.on("request", lambda request: asked.append(request.url))
    person.context.add_init_script(WATCH)
    policy = person.page.reload().headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "'unsafe-eval'" not in policy
    assert "'unsafe-inline'" not in policy.split("script-src", 1)[1].split(";", 1)[0]

    person.wait_until_ready()
    pixels = np.random.default_rng(0).integers(0, 4000, (120, 160)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "noise.tif", pixels)
    person.upload(tmp_path / "noise.tif")
    person.wait_for(lambda: person.page.inner_text("#image-name") == "noise.tif", "the image")
    person.wait_until_view_rests()
    person.draw_and_wait((20, 60), (40, 80))
    person.press("2")
    person.draw_and_wait((120, 60), (140, 80))
    person.wait_for_segmentation()
    person.download("overlay.png")
    person.press("?")
    person.page.wait_for_selector("dialog[open]")
    person.press("Escape")
    person.click("#theme")
    person.wait_until_page_asks_again()
    assert person.page.evaluate("window.violations") == []
    assert {url.split("/", 3)[2] for url in asked if not url.startswith(("data:", "blob:"))} == {
        server.url.split("/", 3)[2]
    }
    assert len(asked) > 10


def test_a_page_elsewhere_cannot_frame_it_or_run_more_in_it(people, server):
    person = people(server.url)
    run = person.page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.smuggled = true";
            document.body.append(script);
            return window.smuggled === true;
        }"""
    )
    assert not run
    person.errors = [error for error in person.errors if "Content Security Policy" not in error]
