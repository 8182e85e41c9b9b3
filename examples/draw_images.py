"""Draws the example pictures, so that none of them is anyone else's: `.venv/bin/python examples/draw_images.py`.

Each scene is drawn four times as large as it is saved, in a 640 x 480 frame of its own units.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

FOLDER = Path(__file__).parent / "images"
SCALE = 4

Point = tuple[float, float]
Colour = str | tuple[int, int, int]


class Canvas:
    """A frame of ``width`` x ``height`` units, drawn at SCALE and saved smooth."""

    def __init__(self, width: int, height: int, top: Colour, bottom: Colour) -> None:
        self.size = width, height
        self.image = Image.new("RGB", (width * SCALE, height * SCALE))
        self._draw = ImageDraw.Draw(self.image)
        self.fade(0, height, top, bottom)

    def fade(self, start: float, end: float, top: Colour, bottom: Colour) -> None:
        """Fill a band with a colour that changes from ``top`` to ``bottom``."""
        first, last = _rgb(top), _rgb(bottom)
        rows = range(round(start * SCALE), round(end * SCALE))
        for row in rows:
            share = (row - rows.start) / len(rows)
            colour = tuple(round(a + (b - a) * share) for a, b in zip(first, last, strict=True))
            self._draw.line([(0, row), (self.image.width, row)], fill=colour)

    def shape(self, *points: Point, fill: Colour) -> None:
        """A filled polygon."""
        self._draw.polygon([(x * SCALE, y * SCALE) for x, y in points], fill=fill)

    def box(self, left: float, top: float, right: float, bottom: float, fill: Colour, radius: float = 0) -> None:
        """A filled rectangle, its corners rounded by ``radius``."""
        self._draw.rounded_rectangle([side * SCALE for side in (left, top, right, bottom)], radius * SCALE, fill)

    def disc(self, x: float, y: float, rx: float, ry: float, fill: Colour) -> None:
        """A filled ellipse about a point."""
        self._draw.ellipse([side * SCALE for side in (x - rx, y - ry, x + rx, y + ry)], fill)

    def ring(self, x: float, y: float, radius: float, width: float, fill: Colour) -> None:
        """A circle's line."""
        box = [side * SCALE for side in (x - radius, y - radius, x + radius, y + radius)]
        self._draw.ellipse(box, outline=fill, width=round(width * SCALE))

    def line(self, points: Sequence[Point], width: float, fill: Colour) -> None:
        """A line through points."""
        self._draw.line([(x * SCALE, y * SCALE) for x, y in points], fill, round(width * SCALE), joint="curve")

    def save(self, name: str, **options: Any) -> None:
        """Shrink to the frame's own size, and write."""
        small = self.image.resize(self.size, Image.Resampling.LANCZOS)
        if name.endswith(".png"):
            small = small.quantize(128, dither=Image.Dither.NONE)
        small.save(FOLDER / name, **options)


def _rgb(colour: Colour) -> tuple[int, ...]:
    return tuple(int(colour[at : at + 2], 16) for at in (1, 3, 5)) if isinstance(colour, str) else colour


def draw_lighthouse() -> None:
    """A striped tower on a rock, at dusk."""
    c = Canvas(480, 640, "#1d2a52", "#f2a65e")
    c.fade(470, 640, "#27476b", "#12263f")
    c.shape((250, 118), (480, 40), (480, 150), fill="#f6d58a")
    c.shape((120, 520), (200, 470), (330, 465), (420, 530), (470, 640), (60, 640), fill="#3b3a40")
    tower = [(205, 480), (287, 480), (274, 150), (218, 150)]
    c.shape(*tower, fill="#f4f1ea")
    for top in (210, 320, 430):
        left, right = 218 - (top - 150) * 13 / 330, 274 + (top - 150) * 13 / 330
        c.shape((left, top), (right, top), (right + 2, top + 50), (left - 2, top + 50), fill="#c8322b")
    c.box(208, 140, 284, 152, "#23252b")
    c.box(222, 100, 270, 140, "#ffe9a8")
    for x in (222, 238, 254, 267):
        c.box(x, 100, x + 3, 140, "#23252b")
    c.shape((214, 100), (278, 100), (246, 66), fill="#8e1f1b")
    c.box(238, 440, 254, 480, "#3a2a20", 6)
    for x, y in ((60, 560), (330, 600), (400, 575), (110, 610)):
        c.line([(x, y), (x + 50, y)], 2, "#7fa3bf")
    c.save("lighthouse.jpg", quality=85)


def draw_bridge() -> None:
    """A suspension bridge over a green river."""
    c = Canvas(640, 400, "#9fd0ee", "#e8f4f8")
    c.shape((0, 250), (120, 190), (260, 240), (420, 200), (640, 245), (640, 400), (0, 400), fill="#6d9a62")
    c.fade(290, 400, "#3f8f86", "#1f5f63")
    c.box(0, 252, 640, 266, "#a33b2a")
    for x in (170, 470):
        c.box(x - 14, 70, x - 6, 320, "#a33b2a")
        c.box(x + 6, 70, x + 14, 320, "#a33b2a")
        for y in (80, 140, 200):
            c.box(x - 14, y, x + 14, y + 8, "#a33b2a")
        c.box(x - 26, 310, x + 26, 340, "#8b8d8a")
    spans = [(-130, 170), (170, 470), (470, 770)]
    for left, right in spans:
        middle, half = (left + right) / 2, (right - left) / 2
        cable = [(x, 238 - 160 * ((x - middle) / half) ** 2) for x in range(left, right + 1, 5)]
        c.line(cable, 4, "#7d2a1e")
        for across, height in cable[::5]:
            c.line([(across, height), (across, 254)], 1.3, "#7d2a1e")
    c.save("bridge.png", optimize=1)


def draw_bicycle() -> None:
    """A blue bicycle before a brick-coloured wall."""
    c = Canvas(640, 480, "#d98f5c", "#c77a49")
    for row, y in enumerate(range(0, 380, 38)):
        c.box(0, y, 640, y + 2, "#b5673b")
        for x in range(-40 * (row % 2), 640, 80):
            c.box(x, y, x + 2, y + 38, "#b5673b")
    c.box(0, 380, 640, 480, "#8c8f93")
    rear, front, crank = (190.0, 320.0), (450.0, 320.0), (300.0, 322.0)
    for hub in (rear, front):
        for spoke in range(12):
            turn = spoke * math.pi / 12
            across, up = 92 * math.cos(turn), 92 * math.sin(turn)
            c.line([(hub[0] - across, hub[1] - up), (hub[0] + across, hub[1] + up)], 1, "#e8e8e8")
        c.ring(*hub, 100, 9, "#22252a")
        c.disc(*hub, 9, 9, "#22252a")
    seat, head = (265.0, 195.0), (418.0, 190.0)
    for line in ([rear, seat, crank, rear], [seat, head], [crank, head], [(410, 165), front]):
        c.line(line, 10, "#1f4fa3")
    c.line([(258, 172), (268, 205)], 8, "#22252a")
    c.box(225, 160, 290, 175, "#4a2c1a", 7)
    c.line([(410, 168), (404, 148), (440, 140), (462, 156)], 8, "#22252a")
    c.ring(*crank, 24, 6, "#22252a")
    c.line([(300, 322), (322, 360), (340, 360)], 6, "#22252a")
    c.save("bicycle.webp", quality=80)


def draw_teapot() -> None:
    """A white teapot with a blue band on a dark table."""
    c = Canvas(560, 480, "#2f2a3a", "#3b3346")
    c.fade(350, 480, "#6b4226", "#4a2c18")
    c.disc(280, 402, 170, 20, "#3a2213")
    for x, y in ((238, 60), (262, 40), (286, 66)):
        c.line([(x + 8 * math.sin(step / 4), y + step * 2) for step in range(24)], 5, "#57506a")
    c.ring(428, 275, 66, 20, "#ece7dc")
    c.shape((150, 330), (60, 200), (95, 192), (185, 262), fill="#ece7dc")
    c.disc(77, 196, 20, 9, "#b9b2a3")
    c.disc(280, 295, 150, 108, "#ece7dc")
    c.box(200, 385, 360, 404, "#cfc8b8", 8)
    c.disc(280, 194, 88, 18, "#cfc8b8")
    c.disc(280, 184, 78, 18, "#f7f4ec")
    c.disc(280, 160, 14, 14, "#2d5fa8")
    for x in range(150, 420, 36):
        c.disc(x, 300, 13, 13, "#2d5fa8")
        c.disc(x, 300, 5, 5, "#f2c14e")
    c.save("teapot.jpg", quality=85)


def draw_mountain() -> None:
    """A snow-topped peak and its reflection in a lake."""
    c = Canvas(640, 420, "#4f8fd0", "#cfe4f4")
    ridge = [(0.0, 240.0), (90, 180), (170, 215), (320, 60), (430, 170), (500, 130), (640, 235)]
    c.shape(*ridge, (640, 250), (0, 250), fill="#6a7488")
    c.shape((320, 60), (262, 118), (290, 112), (306, 134), (330, 108), (352, 128), (378, 118), fill="#ffffff")
    c.shape((500, 130), (470, 148), (492, 146), (504, 156), (540, 150), fill="#ffffff")
    c.fade(250, 420, "#7fb0d8", "#2a5d93")
    c.shape(*[(x, 500 - y * 0.98 + 0) for x, y in ridge], (640, 252), (0, 252), fill="#5a7795")
    for x in range(0, 640, 22):
        height = 26 + 14 * math.sin(x * 1.7)
        c.shape((x - 12, 254), (x + 12, 254), (x, 254 - height), fill="#24503a")
    for y in range(270, 420, 18):
        c.line([((y * 37) % 500, y), ((y * 37) % 500 + 120, y)], 1.5, "#a9cbe6")
    c.save("mountain.jpg", quality=85)


def draw_tram() -> None:
    """A yellow tram in a grey street."""
    c = Canvas(640, 480, "#c9ccd2", "#e3e1dc")
    for x, width, height, colour in ((0, 150, 300, "#a59a92"), (150, 190, 340, "#b8aea2"), (340, 300, 280, "#988f8a")):
        c.box(x, 400 - height, x + width, 400, colour)
        for wx in range(x + 18, x + width - 20, 44):
            for wy in range(400 - height + 20, 330, 56):
                c.box(wx, wy, wx + 22, wy + 32, "#6f7c88")
    c.box(0, 385, 640, 480, "#6d6e72")
    for y in (420, 450):
        c.box(0, y, 640, y + 4, "#3f4145")
    c.line([(0, 86), (640, 86)], 2, "#33363b")
    c.line([(290, 160), (330, 88), (370, 160)], 4, "#33363b")
    c.box(110, 160, 540, 412, "#f0b400", 20)
    c.box(110, 300, 540, 330, "#fff6dd")
    for x in range(135, 520, 66):
        c.box(x, 190, x + 50, 280, "#31475c", 6)
    c.box(300, 190, 352, 400, "#c98f00", 4)
    c.box(306, 196, 346, 330, "#31475c", 4)
    c.box(120, 405, 530, 425, "#3b3c40", 6)
    for x in (190, 250, 410, 470):
        c.disc(x, 424, 20, 20, "#26272a")
        c.disc(x, 424, 8, 8, "#8b8d92")
    c.disc(126, 360, 10, 10, "#fff9d8")
    c.save("tram.png", optimize=1)


def draw_windmill() -> None:
    """A windmill over a field of tulips."""
    c = Canvas(480, 560, "#bfe3f7", "#f5fbff")
    for x, y in ((90, 90), (380, 60), (330, 150)):
        for shift in (-34, 0, 34):
            c.disc(x + shift, y, 34, 18 + (shift == 0) * 8, "#ffffff")
    c.fade(400, 560, "#7cb342", "#4c8a2b")
    for row, colour in enumerate(("#e53935", "#fdd835", "#ec407a", "#fb8c00")):
        for x in range(-10 + row * 7, 490, 18):
            c.disc(x, 440 + row * 32, 6, 8, colour)
            c.box(x - 1, 446 + row * 32, x + 1, 460 + row * 32, "#2e6b1f")
    c.shape((190, 420), (290, 420), (268, 210), (212, 210), fill="#7a4b2b")
    c.shape((200, 214), (280, 214), (262, 170), (218, 170), fill="#4d2f1c")
    c.box(160, 340, 320, 352, "#4d2f1c")
    c.box(228, 372, 252, 420, "#f0e6d2", 4)
    c.box(232, 260, 248, 284, "#f0e6d2", 3)
    for turn in (0.5, 0.5 + math.pi / 2, 0.5 + math.pi, 0.5 + 1.5 * math.pi):
        cos, sin = math.cos(turn), math.sin(turn)
        c.line([(240, 200), (240 + 165 * cos, 200 + 165 * sin)], 6, "#3a2415")
        near, far, wide = 40, 160, 26
        sail = [(near, 0), (far, 0), (far, wide), (near, wide)]
        c.shape(*[(240 + a * cos - b * sin, 200 + a * sin + b * cos) for a, b in sail], fill="#f6efe0")
        for a in range(near, far, 20):
            spar = (240 + a * cos, 200 + a * sin)
            c.line([spar, (spar[0] - wide * sin, spar[1] + wide * cos)], 1.5, "#8a6a4a")
    c.disc(240, 200, 9, 9, "#2a1a10")
    c.save("windmill.webp", quality=80)


def draw_chess() -> None:
    """A light pawn on a chequered board."""
    c = Canvas(480, 480, "#14361f", "#1f4d2c")
    for row in range(4):
        top, bottom = 300 + row * 45, 345 + row * 45
        for column in range(-2, 8):
            spread = [240 + (column - 3) * (70 + 16 * (row + edge)) for edge in (0, 1)]
            width = [70 + 16 * (row + edge) for edge in (0, 1)]
            colour = "#f0dcb4" if (row + column) % 2 else "#5b3a21"
            corners = ((spread[0], top), (spread[0] + width[0], top))
            c.shape(*corners, (spread[1] + width[1], bottom), (spread[1], bottom), fill=colour)
    c.disc(246, 410, 100, 20, "#33200f")
    c.box(150, 380, 330, 412, "#e9c98f", 14)
    c.box(168, 356, 312, 384, "#f3dbaa", 12)
    c.shape((185, 360), (295, 360), (262, 220), (218, 220), fill="#e9c98f")
    c.shape((185, 360), (215, 360), (228, 220), (218, 220), fill="#f8e7c2")
    c.disc(240, 216, 56, 14, "#f3dbaa")
    c.disc(240, 152, 58, 58, "#e9c98f")
    c.disc(222, 134, 20, 20, "#fdf3da")
    c.save("chess.jpg", quality=85)


SCENES: tuple[Callable[[], None], ...] = (
    draw_lighthouse,
    draw_bridge,
    draw_bicycle,
    draw_teapot,
    draw_mountain,
    draw_tram,
    draw_windmill,
    draw_chess,
)

if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for scene in SCENES:
        scene()
    for path in sorted(FOLDER.iterdir()):
        print(f"{path.stat().st_size / 1000:6.1f} kB  {path.name}")
