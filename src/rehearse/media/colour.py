"""High dynamic range and wide colours of video, as an ordinary screen shows them.

Light is counted so that 1 is the white of paper, which HDR video puts at 203 candela per square metre (ITU-R
BT.2408). What is brighter is rolled off smoothly by its largest channel, so that hues stay.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

PQ, HLG = 16, 18
"""Transfers as H.273 numbers them: SMPTE ST 2084 and ARIB STD-B67."""
ORDINARY = frozenset({1, 2, 4, 5, 6, 7, 11, 12, 13, 14, 15})
"""Transfers that an ordinary screen shows as they come, or nearly."""
_BT2020, _P3 = 9, 12
_TO_BT709 = {
    _BT2020: [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]],
    _P3: [[1.2249, -0.2247, 0.0], [-0.0420, 1.0419, 0.0], [-0.0197, -0.0786, 1.0979]],
}
_LUMA_2020 = np.array([0.2627, 0.6780, 0.0593], np.float32)
_PAPER = 203.0
_PEAK = 1000.0
"""Candela per square metre: the brightest that is told apart from what is brighter still."""
_KNEE = 0.6
"""Light below it stays as it is."""
_NAMES = {PQ: "PQ", HLG: "HLG"}


def wide(transfer: int, primaries: int) -> str | None:
    """What an ordinary screen cannot show as it comes, by name; None of ordinary video."""
    if transfer in _NAMES:
        return f"HDR video ({_NAMES[transfer]})"
    return {_BT2020: "video in BT.2020 colours", _P3: "video in P3 colours"}.get(primaries)


def narrowed(values: NDArray[np.uint16], transfer: int, primaries: int) -> NDArray[np.uint8]:
    """RGB ``[H, W, 3]`` of 16 bits with a transfer and primaries as H.273 numbers them, as 8-bit sRGB."""
    light = _table(transfer)[values]
    if transfer == HLG:
        # The system gamma of a display of 1000 candela per square metre acts on luminance.
        light *= (light @ _LUMA_2020)[..., None].clip(1e-6) ** np.float32(0.2) * np.float32(_PEAK / _PAPER)
    matrix = _TO_BT709.get(primaries)
    if matrix is not None:
        light = light @ np.array(matrix, np.float32).T
    light = light.clip(0)
    if transfer in _NAMES:
        brightest = light.max(axis=-1, keepdims=True)
        light *= _rolled_off(brightest) / brightest.clip(1e-6)
    steps = (light.clip(0, 1) * np.float32(65535)).round().astype(np.uint16)
    return _SCREEN[steps]


def _rolled_off(light: NDArray[np.float32]) -> NDArray[np.float32]:
    room, above = 1 - _KNEE, _PEAK / _PAPER - _KNEE
    far = ((light - _KNEE) / above).clip(0, 1)
    slope = above / room  # at the knee, the curve goes on as it came
    return np.where(light <= _KNEE, light, _KNEE + room * slope * far / (1 + (slope - 1) * far)).astype(
        np.float32
    )


def _pq(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    root = signal ** (1 / m2)
    return (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1) * 10_000 / _PAPER


def _hlg(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)


def _srgb(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(signal <= 0.04045, signal / 12.92, ((signal + 0.055) / 1.055) ** 2.4)


_CURVES: dict[int, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {PQ: _pq, HLG: _hlg}
_tables: dict[int, NDArray[np.float32]] = {}


def _table(transfer: int) -> NDArray[np.float32]:
    """Light of each of the 65536 values."""
    kind = transfer if transfer in _CURVES else 0
    if kind not in _tables:
        _tables[kind] = _CURVES.get(kind, _srgb)(np.arange(65536) / 65535).astype(np.float32)
    return _tables[kind]


def _screen() -> NDArray[np.uint8]:
    light = np.arange(65536) / 65535
    signal = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return (255 * signal).round().astype(np.uint8)


_SCREEN = _screen()
