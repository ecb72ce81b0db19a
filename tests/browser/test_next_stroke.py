"""N goes to where a stroke helps most, a ring shows it, and N again the next place, on other images too."""

import numpy as np
from PIL import Image

from tests.support.page import in_hand, wait_for_image

RING = """() => { const ring = document.querySelector('#next-ring'), stage = document.querySelector('#stage');
  if (ring.hidden) return null;
  const [box, around] = [ring.getBoundingClientRect(), stage.getBoundingClientRect()];
  return [box.x + box.width / 2 - around.x, box.y + box.height / 2 - around.y]; }"""


def thirds(folder, name, seed):
    pixels = np.random.default_rng(seed).integers(0, 30, (60, 90, 3), np.uint8)
    pixels[:, 30:60] += 90
    pixels[:, 60:] += 180
    Image.fromarray(pixels).save(folder / name)
    return folder / name


def test_n_goes_from_place_to_place(person, tmp_path):
    person.upload(thirds(tmp_path, "one.png", 1))
    wait_for_image(person, "one.png")
    person.press("n")
    person.wait_for_status("Draw a squiggle in each of two classes")
    person.draw_and_wait((5, 5), (15, 50))
    person.press("2")
    person.draw_and_wait((75, 5), (80, 50))
    person.upload(thirds(tmp_path, "two.png", 2))
    wait_for_image(person, "two.png")
    person.wait_for_segmentation()
    person.press("n")
    person.wait_for_status("Here a stroke helps most")
    person.wait_until_view_rests()
    seen = set()
    for _ in range(8):
        person.wait_for(lambda: person.page.evaluate(RING), "the ring")
        seen.add(in_hand(person))
        person.press("n")
        person.wait_until_view_rests()
    assert seen == {"one.png", "two.png"}
    person.wait_for(lambda: person.page.evaluate(RING), "the ring")
    left, top = person.page.evaluate(RING)
    column, row = person.within("({ session }, [left, top]) => session.viewport.imageAt(left, top)", [left, top])
    assert -0.5 <= column < 89.5
    assert -0.5 <= row < 59.5
    person.press("1")
    person.draw((40, 10), (50, 40))
    person.wait_for(lambda: person.page.evaluate(RING) is None, "the ring goes once there is a stroke")
