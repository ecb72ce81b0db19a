"""What tests of the page do again and again: places on the sample, images of one's own, series."""

import io
import json

import numpy as np
import tifffile
from PIL import Image

import segmentation as seg
from segmentation.web.application import SAMPLE

GLAND = [(250, 60), (262, 75), (250, 90)]
TISSUE = [(60, 250), (75, 262), (90, 250)]
THIRD = [(400, 400), (420, 410), (440, 400)]


def draw_two(person):
    person.draw_and_wait(*GLAND)
    person.press("2")
    person.draw_and_wait(*TISSUE)
    person.wait_for_segmentation()


def what_the_library_says(person):
    """Labels and segmentation that the library computes for the strokes on the page."""
    document = json.loads(person.download("strokes.json"))
    labels = seg.rasterise(document["strokes"], SAMPLE.image.shape)
    settings = document["settings"]
    weights = {int(one): weight for one, weight in settings.get("class_weights", {}).items()}
    spec = seg.FeatureSpec.from_json(settings["features"])
    classifier = seg.PixelClassifier(spec, **settings["forest"], class_weights=weights)
    return labels, classifier.fit(SAMPLE.image, labels).predict(SAMPLE.image)


def opens(person, path):
    """Open a classifier file."""
    person.tab("classes")
    with person.page.expect_file_chooser() as chooser:
        person.click("#open-classifier")
    chooser.value.set_files(path)


def segmentation(person):
    """The class ids that are taken home."""
    return tifffile.imread(io.BytesIO(person.download("segmentation.tif")))


def halves(folder, name, *, turned=False, grey=False, noise=0):
    """A picture file that is dark on one side and bright on the other."""
    pixels = np.full((60, 100, 3), 60, np.uint8)
    pixels[:, 50:] = (200, 180, 160)
    pixels += np.random.default_rng(noise).integers(0, 20, pixels.shape, np.uint8)
    if turned:
        pixels = pixels[:, ::-1]
    Image.fromarray(pixels[..., 0] if grey else pixels).save(folder / name)
    return folder / name


def names(person):
    return person.page.locator(".thumb-name").all_text_contents()


def in_hand(person):
    return person.page.inner_text("#image-name")


def wait_for_image(person, name):
    person.wait_for(lambda: in_hand(person) == name, name)
    person.wait_until_view_rests()


def on_screen(person):
    """The class ids that the page shows."""
    return np.array(
        person.within("""({ session: { picture } }) => {
            const { rows, columns } = picture.image;
            const whole = new Uint8Array(rows * columns);
            for (const tile of picture.tiles.values()) {
                const width = tile.columns[1] - tile.columns[0];
                for (let row = tile.rows[0]; row < tile.rows[1]; row += 1) {
                    const from = (row - tile.rows[0]) * width;
                    whole.set(tile.ids.subarray(from, from + width), row * columns + tile.columns[0]);
                }
            }
            return [...whole];
        }"""),
        np.uint8,
    )


def drops(person, selector, *paths):
    """Drop files and folders of the disk, as the operating system hands them to the browser."""
    box = person.page.locator(selector).bounding_box()
    place = {"x": box["x"] + box["width"] / 2, "y": box["y"] + min(box["height"], 200) / 2}
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    devtools = person.context.new_cdp_session(person.page)

    def drag(kind):
        devtools.send("Input.dispatchDragEvent", {"type": kind, **place, "data": data})

    drag("dragEnter")
    person.wait_for(
        lambda: drag("dragOver") or person.page.locator(".dropping").count(), "the page takes what is dragged"
    )
    drag("drop")
    devtools.detach()


def sends(person, *paths):
    person.tab("series")
    with person.page.expect_file_chooser() as chooser:
        person.click("#series-images")
    chooser.value.set_files(paths)
    person.wait_for(lambda: person.page.locator(".series").count() == 1, "the series")


def is_finished(person, images):
    """Whether the latest series is done, all its images sent and told: before the last came it may have been, too."""
    card = person.page.locator(".series").first
    facts = [card.get_attribute(name) for name in ("data-state", "data-told")]
    return card.inner_text().startswith(f"{images} images") and facts == ["finished", str(images)]
