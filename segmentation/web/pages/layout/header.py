"""The head of the page."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from segmentation.web.pages.layout.address import address_button, address_entry
from segmentation.web.pages.layout.elements import dashed, icon
from segmentation.web.settings import Settings

MENU = (
    ("all-sessions", "All sessions"),
    ("new-session", "New session"),
    ("duplicate-session", "Duplicate this session"),
    ("export-session", "Export as a file"),
    ("copy-link", "Share…"),
)
"""What can be done with a session as a whole; ids and labels."""


def header(settings: Settings) -> html.Header:
    """The bar across the top."""
    return html.Header(
        [
            html.Div([html.Span(className="logo", **dashed(aria_hidden="true")), html.H1("Squiggle")], id="brand"),
            html.Div(
                [
                    html.Div(id="session-title"),
                    html.Div([html.Span(id="image-name"), html.Span(id="image-facts")], id="image-title"),
                ],
                id="titles",
            ),
            html.Span("You can look, not change", id="looking-note"),
            html.Div([html.Div(id="others"), html.Button(id="me", type="button")], id="people"),
            html.Button("Open images…", id="open-image", type="button", className="quiet"),
            *address_button(settings.places),
            html.Button(
                "Session",
                id="session-menu-button",
                type="button",
                className="quiet",
                **dashed(aria_haspopup="menu", aria_controls="session-menu"),
            ),
            _menu(settings),
            html.Button(
                icon("M12 4a8 8 0 1 0 .01 0zM12 4v16a8 8 0 0 0 0-16z"),
                id="theme",
                type="button",
                className="tool",
                title="Light or dark",
                **dashed(aria_label="Switch between light and dark"),
            ),
            html.Button("Help", id="open-help", type="button", className="quiet", title="How it works (?)"),
        ],
        id="header",
    )


def _menu(settings: Settings) -> html.Div:
    entries = [html.Button(label, id=name, type="button", role="menuitem") for name, label in MENU]
    sign_out = html.Form(
        html.Button("Sign out", type="submit", role="menuitem"), id="sign-out", action="/sign-out", method="post"
    )
    return html.Div(
        [*entries, *address_entry(settings.places), *([sign_out] if settings.password else [])],
        id="session-menu",
        role="menu",
        **dashed(aria_labelledby="session-menu-button"),
    )


def link_dialog() -> html.Dialog:
    """The session's links, and what it means to give them away."""
    return html.Dialog(
        [
            html.H2("Share this session", id="link-title"),
            html.Div(
                _link(
                    "Whoever has this link can open this session, see its images, and draw in it as you can.",
                    "link-field",
                    "link-copy",
                    _taking_back("link-back", "You go on with another"),
                ),
                id="link-to-work",
            ),
            *_link(
                "Whoever has this link can see everything and take it home, but change nothing.",
                "looking-field",
                "looking-copy",
                _taking_back("looking-back", "There is another then"),
            ),
            html.Div(
                html.A("Who did what (CSV)", id="log", download="log.csv", title="All that was done here"),
            ),
            html.Div(
                html.Button("Close", id="link-close", type="button", className="quiet"), className="dialog-buttons"
            ),
        ],
        id="link",
        **dashed(aria_labelledby="link-title"),
    )


def _taking_back(name: str, hint: str) -> html.Button:
    hint = f"Lets this link lead nowhere, for all who have it. {hint}."
    return html.Button("Take back", id=name, type="button", className="quiet take-back", title=hint)


def _link(meaning: str, field: str, copy: str, *more: Component) -> list[Component]:
    """What a link means, a place for it, and buttons."""
    row = html.Div([html.Div(id=field), html.Button("Copy", id=copy, type="button"), *more], className="link-row")
    return [html.P(meaning), row]
