"""Who follows a link that leads nowhere sees a page like the others, and a way on."""

import io

import numpy as np
import pytest
from PIL import Image

from tests.support.person import SIZES


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_link_that_leads_nowhere_leads_to_the_sessions(chromium, server, size, scheme):
    width, height = SIZES[size]
    with chromium.new_context(viewport={"width": width, "height": height}, color_scheme=scheme) as context:
        page = context.new_page()
        assert page.goto(f"{server.url}/s/nobody/file").status == 404
        assert page.title() == "This cannot be shown · Squiggle"
        assert "no session behind this link" in page.inner_text("[role=alert]")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        shown = np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("L"))
        assert (shown[height - 20, 20] < 90) == (scheme == "dark")
        assert np.ptp(shown) > 120
        page.click("text=Your sessions")
        page.wait_for_url(f"{server.url}/sessions*")
        assert "No sessions in this browser yet." in page.inner_text("main")
