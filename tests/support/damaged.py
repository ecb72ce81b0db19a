"""Content that was damaged on its way."""


def damaged(content, chance):
    """A file after one to some accidents or attacks."""
    content = bytearray(content)
    for _ in range(chance.choice((1, 1, 1, 2, 5, 20))):
        content = content or bytearray(b"?")
        at = chance.randrange(len(content)) if chance.random() < 0.5 else chance.randrange(min(len(content), 200))
        match chance.randrange(7):
            case 0:
                content[at] ^= 1 << chance.randrange(8)
            case 1:
                content[at] = chance.choice((0, 255, 127, 128))
            case 2:
                size = chance.choice((2, 4, 8))
                content[at : at + size] = chance.choice((b"\xff", b"\0", b"\x7f")) * size
            case 3:
                del content[at : at + chance.randrange(1, 40)]
            case 4:
                content[at:at] = chance.randbytes(chance.randrange(1, 40))
            case 5:
                content = content[: max(1, at)]
            case 6:
                content += content[at : at + 100]
    return bytes(content)
