"""The short "how it works" of the page, for scientists who do not program."""

from __future__ import annotations

from dash import html

SHORTCUTS = (
    ("1 – 9", "choose the first to ninth class"),
    ("Alt+↑  Alt+↓", "move a class in the list, where it has the focus"),
    ("[  ]", "thinner, thicker stroke"),
    ("D", "draw squiggles"),
    ("C", "draw a closed outline, filled"),
    ("R", "draw a rectangle, filled"),
    ("O", "draw a circle or ellipse, filled"),
    ("I", "outline where the image is worked on; a filled shape that is selected becomes such an outline"),
    ("E", "erase: the pixels under the eraser; with Shift whole strokes"),
    ("P", "correct the result: what is drawn is painted into it; again to draw strokes"),
    ("F", "while correcting: fill, a click gives a part of the result to the class"),
    ("V", "select a stroke: drag it, [ ] and the classes change it, Delete deletes it, Esc lets go"),
    ("H, or hold Space", "move the image by dragging"),
    ("Wheel, two fingers", "zoom"),
    ("+  −  0", "zoom in, zoom out, fit to the window"),
    (",  .", "previous, next image (also Page Up, Page Down)"),
    ("↑  ↓", "next, previous plane of a stack (also Alt + wheel)"),
    ("←  →", "previous, next image in time (also Alt + Shift + wheel)"),
    ("K", "play a time series, or stop"),
    ("Ctrl+Z", "undo"),
    ("Ctrl+Shift+Z, Ctrl+Y", "redo"),
    ("S", "show or hide the segmentation"),
    ("Alt + click", "explain the pixel: which strokes and features decided"),
    ("N", "go to where a stroke helps most; again for the next such place"),
    ("X held down", "see the bare image"),
    ("L", "live update on or off"),
    ("Enter", "segment now, when live update is off"),
    ("?", "this help"),
    ("F2", "rename the chosen class (or double-click its name)"),
    ("Esc", "close a window"),
)

_SECTIONS = (
    (
        "What to draw",
        [
            "Choose a class (a click on it, or its number) and draw a short squiggle over what belongs to it; "
            "then do the same for another class. As soon as two classes have strokes, the whole image is segmented.",
            "Look where it is wrong and draw a stroke there, in the right class. A few short strokes in different "
            "places teach more than one long one: the pixels of a single stroke are nearly copies of each other. "
            "Draw across borders only with care: every pixel under a stroke counts as its class.",
            "A stroke follows the pointer to a quarter of an image pixel, or half a pixel of the screen where that is "
            "more; a click makes a dot. Its width is in image pixels: zoom in, and it grows on the screen with the "
            "image. What you see in the class's colour is what is labelled, except that strokes too thin for the "
            "screen are shown three pixels wide; the light and the dark rim only make them stand out. Until you "
            "choose a width, it follows the zoom.",
            "“Only here” outlines what is worked on: outside of all such outlines nothing is segmented, counted or "
            "learnt from. Inside nothing changes, since features still see what lies around. Each outline is undone, "
            "selected at its rim, moved and deleted as a stroke is; a rectangle or circle that is selected becomes one "
            "with the same key. A mask can say it too: drop it, and choose what its values mean; Take home gives one. "
            "In a series the images that you have outlined here are worked on within their outlines, as they are when "
            "their turn comes.",
            "The eraser unlabels the pixels under it, and has a width of its own. With Shift, or the switch beside its "
            "width, it takes whole strokes. Select a stroke to move it, to give it another width or class, or to "
            "delete it.",
        ],
    ),
    (
        "Where the result itself is to be corrected",
        [
            "P, or the pen with a line below it, lets pens and eraser work on the result: what you paint is there in "
            "the class that you paint with, and stays, whatever is learnt afterwards; the eraser gives back what the "
            "classifier finds. A click with Fill (F) gives a whole part to the class. Corrections come after the "
            "clean-up, are in every table, file and report, and can be undone like strokes. They teach nothing unless "
            "you switch on “Learn from corrections” under Result.",
        ],
    ),
    (
        "Several images",
        [
            "Open as many images as you like, several at once or one after the other; the strip below the image "
            "moves between them. Strokes belong to their image, and the forest learns from the strokes on all "
            "images that have the channels of the one that is shown: a stroke here improves the segmentation there. "
            "Where files name their channels, their order does not matter, and further ones are not looked at; where "
            "they do not, images with as many count. Below the shares stands which images were learnt from.",
            "Where light, gain or stain differs from image to image, Learn has a switch that takes each channel "
            "relative to its mean and spread in the image. “Which is better here?” measures both: on strokes of "
            "images that were not learnt from, or on how sure the votes are on images without strokes.",
            "With your first image the sample leaves, and so do your strokes on it and its class names; names that "
            "you typed stay. Undo brings all of it back.",
        ],
    ),
    (
        "Stacks and time series",
        [
            "A TIFF, CZI, ND2, LIF, DICOM, NIfTI or HDF5 of many planes opens as one entry, with a slider for z and "
            "one for time; marks on them show where strokes are. Draw on any plane: one classifier learns from all. "
            "“Segment all planes” gives the whole stack as one TIFF. Single images of equal size become a stack by "
            "“Make a stack…” in the strip; undo takes it apart again. A TIFF with a label image for each plane becomes "
            "strokes on all of them: drop it on the stack.",
        ],
    ),
    (
        "Images of any size",
        [
            "A TIFF, a zipped OME-Zarr (.ozx) or an image at an address that does not fit the memory is read part by "
            "part: what is on screen is segmented at full resolution. “Segment the whole image” under Take home does "
            "all of it in the background, block by block, while you close the page or draw on; it goes on where it was "
            "when it was cancelled or the server was restarted. Its classes go home as OME-TIFF or OME-Zarr with "
            "levels, the pixels those of “squiggle apply”. A series takes such images, too. What needs the image in "
            "memory as a whole (objects, overlay, report, a clean-up of many megapixels) is for the command line.",
        ],
    ),
    (
        "The list of classes",
        [
            "There may be 255. Drag a class by its number to another place, or press Alt and an arrow; results stay "
            "what they are. To import a list, choose a text with a name a line, a CSV (name, colour) or a JSON with "
            "classes: the classes that are here get its names in their order, further ones are added. To merge a "
            "class into another, press its × and choose which one gets its strokes.",
            "More or less of a class: the button with three sliders gives each class one that multiplies its "
            "probability, without learning anew. The number beside the strokes says by how much; a click on it takes "
            "it back. It travels with the classifier.",
        ],
    ),
    (
        "How good it is",
        [
            "With two strokes of a class the card “How good” says how well one of them is found by a forest that has "
            "learnt from the others only: the mean of intersection over union (IoU) of the classes, its standard "
            "error, and how it went from stroke to stroke. Unfold it for each class and for what was mistaken for "
            "what. If a stroke makes the others worse, you are told once, and can take it back. Drop a mask of what "
            "is true and choose “Score against it” to count every pixel; what was corrected by hand does not count "
            "there: the score is that of the classifier.",
            "± behind a share says how far it may be off, with a confidence of about 95 %: it follows from votes that "
            "do not agree, and from how the share changes when strokes are held out.",
        ],
    ),
    (
        "Which features matter",
        [
            "Learn shows how much the trees gain by each kind of feature at each sigma, and by each channel. A click "
            "on a name says what it would cost to leave it out, in the score of held-out strokes, and what time it "
            "would save. Look at shows any feature over the image, those that matter most first.",
        ],
    ),
    (
        "Objects",
        [
            "Clean up is done to the segmentation as a whole, step by step in the order shown: holes are filled, small "
            "parts go to the class around them, borders become smooth, and parts at the border of the image stay or "
            "go. What a step does is seen while its slider moves. Splitting changes no pixel: it parts objects where "
            "they are narrower than that share of the smaller one's width, or where they only touch at corners (4 "
            "neighbours of a pixel instead of 8). All of it travels with the classifier.",
            "Below, the objects of each class are counted and measured: a click on a row goes there, with the arrow "
            "or the tool that moves the image a click on an object finds its row, and a range drawn on the histogram "
            "fades the others. CSV saves those that are left; Take home has the table of all, and outlines for QuPath, "
            "ImageJ and for training networks.",
        ],
    ),
    (
        "Several people",
        [
            "Whoever has the link of a session works in it with you (Session, Share…); a second link only lets look. "
            "Whoever began the session can take each of them back. The head of the page shows who is here, a frame "
            "shows where they look, and with the tool that moves the image the line below it says whose stroke is "
            "under the pointer. Undo and redo go through what you did yourself; if strokes of others would go along, "
            "the page says so first.",
        ],
    ),
    (
        "What comes back",
        [
            "Drop strokes.json, a label image (PNG, TIFF or BMP, whose values or palette indices are numbers of "
            "classes), a mask of another program, or GeoJSON of QuPath: they become strokes of the image that they "
            "belong to, below your own, pixel by pixel the same. What is not clear, such as what 255 means, is asked. "
            "One undo takes all of it back. In GeoJSON whole numbers are corners of pixels; lines and points become "
            "one pixel wide.",
        ],
    ),
    (
        "How the features are computed",
        [
            "For each pixel the image is looked at through blurs of growing size (sigma, in pixels). At each size "
            "three things are noted: how bright it is there (intensity), how steeply the brightness changes (edges), "
            "and how it curves, the two eigenvalues of the Hessian (texture). A colour image gives these for each "
            "channel. They are computed on the original values of the file, 16 bit or floating point as they may be; "
            "only what is shown is adapted to the screen. They are those of scikit-image's "
            "multiscale_basic_features. Two more kinds follow from them: how the blurs of two sizes differ, and the "
            "sum of the eigenvalues (differences); and how channels compare, as logarithms of their ratios and, of "
            "three channels, as lightness and hue in CIE Lab (colour).",
            "Learned texture, which is off until you switch it on under Learn, adds what a small network, trained on "
            "photographs (EfficientNet-Lite0, on ImageNet), says of 147 × 147 pixels around a place: 80 numbers every "
            "16 pixels, between which all others lie. On images whose classes differ in their texture alone it is "
            "worth more than all the rest; on sections in electron microscopy and on materials a few hundredths of "
            "mean IoU; on manuscripts, tissue, vessels and cracks next to nothing; and fluorescent cells are found "
            "slightly worse, as their brightness says it all. It sees the first three of the channels in use, and "
            "single planes of a stack.",
        ],
    ),
    (
        "How the forest learns",
        [
            "Each tree of the forest gets a random share of the labelled pixels and learns a few yes-or-no "
            "questions about their features that tell the classes apart. For a new pixel every tree votes; the share "
            "of votes is the class's probability, and the class with the most votes wins. Half of the trees see small "
            "neighbourhoods only (sigma up to 4), so that a few strokes do not mistake a place for a class. With the "
            "same strokes, settings and seed the result is the same, to the last bit, on any number of processors.",
            "Show, above the opacity, lets the probability of a class be seen instead, or the uncertainty: how close "
            "the second class comes to the first, from 0 where all trees agree to 100 % on the line between two "
            "classes. Draw where it is unsure and wrong. The line below the image says the value under the pointer.",
        ],
    ),
    (
        "How to use the classifier elsewhere",
        [
            "Take it home as a file (Take home, Classifier). It holds numbers and names, nothing that could run; the "
            "training pixels, with which strokes can correct it, unless you say otherwise; your strokes only if you "
            "say so. Whoever opens it here (Open classifier…) sees it at work at once. One that came without its "
            "training pixels can only be replaced: it stays until you press “Learn anew from my strokes”. "
            "Train on an image that is typical of the series; the other images should be taken in the same way and at "
            "the same magnification.",
            "Under Series the server applies it to many images, a folder or a zip while you do something else. What is "
            "painted into the results of its images counts there, and so do the sizes of pixels that you type for them "
            "here; “Do again” makes anew what another classifier has made, and of the rest only the images for which "
            "that has changed. On your "
            "own computer the command line gives the very same result, and so does Python:",
        ],
    ),
)


_EXAMPLE = """import segmentation

classifier = segmentation.load_classifier("classifier.squiggle")
image = segmentation.read_image("next.tif")
classes = classifier.predict(image)"""


def help_dialog() -> html.Dialog:
    """The help as a dialog that the page opens."""
    return html.Dialog(
        [
            html.Div(
                [
                    html.H2("How it works"),
                    html.Button("Close", id="close-help", type="button", className="quiet"),
                ],
                className="section-head",
            ),
            html.Div(
                [
                    html.Div(
                        [
                            part
                            for title, paragraphs in _SECTIONS
                            for part in (html.H3(title), *(html.P(paragraph) for paragraph in paragraphs))
                        ]
                        + [html.Pre(_EXAMPLE)]
                    ),
                    html.Div(
                        [
                            html.H3("Keyboard and mouse"),
                            html.Table(
                                html.Tbody(
                                    [html.Tr([html.Td(html.Kbd(keys)), html.Td(what)]) for keys, what in SHORTCUTS]
                                )
                            ),
                        ]
                    ),
                ],
                className="help-columns",
            ),
        ],
        id="help",
        title="",
    )
