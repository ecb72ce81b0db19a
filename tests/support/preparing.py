"""Large images that are prepared for view, as a page asks for them."""


def send(client, session, content, name="strips.tif"):
    answer = client.post(f"/s/{session}/images?name={name}", data=content)
    assert "preparing" in answer.json, answer.json
    return answer.json["preparing"]["hash"]


def look(client, session, image_hash):
    """What the server says of an image that is prepared; None if it knows of none."""
    listed = client.get(f"/s/{session}/preparing").json["images"]
    return next((one for one in listed if one["hash"] == image_hash), None)
