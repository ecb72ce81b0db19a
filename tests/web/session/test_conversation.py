"""Which request of a browser window is its latest."""

from segmentation.web.session.conversation import MAX_CLIENTS, LatestRequests


def test_a_newer_request_of_a_window_makes_the_one_before_stale():
    latest = LatestRequests()
    first, elsewhere = latest.begin("s", "w"), latest.begin("s", "v")
    assert not first()
    second = latest.begin("s", "w")
    assert first()
    assert not second()
    assert not elsewhere()


def test_a_crowd_of_windows_ends_nobodys_work():
    latest = LatestRequests()
    mine = latest.begin("s", "w")
    for number in range(MAX_CLIENTS):
        latest.begin("s", f"theirs {number}")
    assert not mine()
    latest.begin("s", "w")
    assert mine()
