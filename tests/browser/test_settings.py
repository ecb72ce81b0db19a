"""What a classifier learns from, as it is typed on the page: refused, kept, asked for."""

from tests.support.page import draw_two


def test_settings_that_cannot_work_are_refused_beside_their_controls(person):
    draw_two(person)
    person.tab("learn")
    before = person.shares()
    person.page.fill("#sigma-min", "20")
    person.press("Tab")
    person.wait_for(lambda: "above the largest" in person.page.inner_text("#features-problem"))
    assert person.shares() == before
    person.page.fill("#sigma-min", "1")
    person.press("Tab")
    person.wait_for(lambda: person.page.inner_text("#features-problem") == "")
    person.wait_for(lambda: person.shares() != before, "the new features' shares")
    for box in person.page.locator("#feature-kinds label").all():
        box.click()
    person.wait_for(lambda: "at least one kind" in person.page.inner_text("#features-problem"))
    person.page.fill("#forest-trees", "0")
    person.press("Tab")
    person.wait_for(lambda: "trees" in person.page.inner_text("#forest-problem"))
    person.click("#reset-settings")
    person.wait_for(lambda: person.page.input_value("#forest-trees") != "0")
    person.wait_for(lambda: person.shares() == before, "the shares of the defaults")
    person.wait_for(lambda: person.page.inner_text("#forest-problem") == "", "nothing wrong any more")
    person.page.fill("#forest-trees", "2000")
    person.press("Tab")
    person.wait_for(lambda: "trees" in person.page.inner_text("#forest-problem"))
    person.click("#reset-settings")
    person.wait_for(lambda: person.page.input_value("#forest-trees") == "200", "the defaults where nothing was changed")


def test_a_new_page_asks_the_server_for_no_setting_that_it_shows(people, server):
    person = people(server.url)
    asked = []
    person.page.on("request", lambda request: asked.append(request.url))
    person.page.reload()
    person.wait_until_ready()
    draw_two(person)
    assert any(url.endswith("/_dash-layout") for url in asked)
    assert not any("/_dash-update-component" in url for url in asked)


def test_settings_that_are_typed_while_the_server_is_away_count_once_it_is_back(people, server):
    person = people(server.url, expect_offline=True)
    person.tab("learn")
    person.loses_the_server()
    said = []
    person.page.on("console", lambda message: said.append(message.text))
    person.page.fill("#sigma-min", "2")
    person.page.fill("#forest-trees", "7")
    person.wait_for(lambda: sum("did not respond" in text for text in said) == 2, "both are asked in vain")
    person.context.set_offline(False)
    settings = "({ session: { state: { features, forest } } }) => [features.sigma_min, forest.n_estimators]"
    person.wait_for(lambda: person.within(settings) == [2, 7], "the settings")
    assert (person.page.input_value("#sigma-min"), person.page.input_value("#forest-trees")) == ("2", "7")


def test_a_scale_that_is_no_whole_number_is_refused(person):
    person.tab("learn")
    person.page.fill("#num-sigma", "2.5")
    person.press("Tab")
    person.wait_for(lambda: "whole number" in person.page.inner_text("#features-problem"))
