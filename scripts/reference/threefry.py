"""The counter-based noise that gates and dropout are drawn from, on plain integers."""


def threefry(key, counter):
    """Threefry-2x32 with 20 rounds (Salmon et al. 2011, section 4), on plain integers."""
    mask = 0xFFFFFFFF
    keys = [*key, 0x1BD11BDA ^ key[0] ^ key[1]]
    x, y = (counter[0] + keys[0]) & mask, (counter[1] + keys[1]) & mask
    for round_ in range(20):
        x = (x + y) & mask
        turn = (13, 15, 26, 6, 17, 29, 16, 24)[round_ % 8]
        y = ((y << turn | y >> (32 - turn)) & mask) ^ x
        if round_ % 4 == 3:
            n = round_ // 4 + 1
            x, y = (x + keys[n % 3]) & mask, (y + keys[(n + 1) % 3] + n) & mask
    return x, y


assert threefry((0, 0), (0, 0)) == (0x6B200159, 0x99BA4EFE), "Random123's known answer"
