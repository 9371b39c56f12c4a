"""Division of bits on paper, and the text as the tutorial writes it: each character in base 2, not padded."""

KEY = "1001"


def remainder(dividend, key=KEY):
    bits = [int(bit) for bit in dividend]
    divisor = [int(bit) for bit in key]
    for at in range(len(bits) - len(divisor) + 1):
        if bits[at]:
            for i, bit in enumerate(divisor):
                bits[at + i] ^= bit
    return "".join(str(bit) for bit in bits[len(bits) - len(divisor) + 1:])


def encode(text, key=KEY):
    data = "".join(format(ord(character), "b") for character in text)
    return data, data + remainder(data + "0" * (len(key) - 1), key)
