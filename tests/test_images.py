"""References become images a request can carry, or one clear sentence; nothing else ever comes out."""

from __future__ import annotations

import contextlib
import io
import os
import struct
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pybase64
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from contextvqa_async.config import Reading
from contextvqa_async.errors import Kind, RecordError
from contextvqa_async.images import MAX_BYTES, image_roots, load_image, recoding, weigh
from contextvqa_async.images.headers import read_header
from contextvqa_async.items import Image
from contextvqa_async.threads import Threads

NOISE = Pillow.frombytes("RGB", (60, 48), bytes(range(256)) * 33 + bytes(192)).resize((120, 96))


def saved(image: Pillow.Image = NOISE, kind: str = "PNG", **options: Any) -> bytes:
    """The picture as a file's bytes."""
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def opened(image: Image) -> Pillow.Image:
    """What a provider would decode."""
    return Pillow.open(io.BytesIO(pybase64.b64decode(image.base64, validate=True)))


async def load_one(ref: str | bytes, *, roots: Sequence[Path], reading: Reading, time_limit: float = 60.0) -> Image:
    """Load without --inline-urls, in threads of its own."""
    return await load_image(ref, roots=roots, reading=reading, threads=Threads(), fetch=None, time_limit=time_limit)


async def load(ref: str | bytes, root: Path | None = None, **reading: Any) -> Image:
    """Load as a run does."""
    return await load_one(ref, roots=(root or Path(),), reading=Reading(**reading))


async def failure(ref: str | bytes, root: Path | None = None, **reading: Any) -> RecordError:
    """The failure that ``ref`` ends in; its message is one line that names the reference."""
    with pytest.raises(RecordError) as caught:
        await load(ref, root, **reading)
    message = str(caught.value)
    assert message.startswith("The image ")
    assert message.endswith(".")
    assert "\n" not in message
    assert len(message) < 800
    return caught.value


PLAIN: dict[str, tuple[str, Callable[[], bytes]]] = {
    "jpeg": ("image/jpeg", partial(saved, kind="JPEG")),
    "progressive jpeg": ("image/jpeg", partial(saved, kind="JPEG", progressive=True)),
    "grey jpeg": ("image/jpeg", lambda: saved(NOISE.convert("L"), "JPEG")),
    "jpeg with bytes after its end": ("image/jpeg", lambda: saved(kind="JPEG") + bytes(500)),
    "png": ("image/png", saved),
    "palette png": ("image/png", lambda: saved(NOISE.convert("P"))),
    "transparent png": ("image/png", lambda: saved(NOISE.convert("RGBA"))),
    "webp": ("image/webp", partial(saved, kind="WEBP")),
    "lossless webp": ("image/webp", partial(saved, kind="WEBP", lossless=True)),
    "transparent webp": ("image/webp", lambda: saved(NOISE.convert("RGBA"), "WEBP")),
    "gif": ("image/gif", partial(saved, kind="GIF")),
}


@pytest.mark.parametrize("name", PLAIN)
async def test_what_every_provider_takes_keeps_its_bytes(name: str) -> None:
    """The media type is the bytes' own, and the bytes are sent as they are."""
    media_type, make = PLAIN[name]
    data = make()
    image = await load(data)
    assert (image.media_type, image.base64) == (media_type, pybase64.b64encode(data))


@pytest.mark.parametrize("name", PLAIN)
def test_sizes_are_read_from_headers(name: str) -> None:
    """The header tells what a decoder finds."""
    data = PLAIN[name][1]()
    header = read_header(data)
    assert header is not None
    assert (header.width, header.height) == Pillow.open(io.BytesIO(data)).size


def two_frames(kind: str) -> bytes:
    """An animation."""
    return saved(kind=kind, save_all=True, append_images=[NOISE.rotate(90)])


CONVERTED: dict[str, tuple[str, Callable[[], bytes]]] = {
    "bmp": ("image/png", partial(saved, kind="BMP")),
    "tiff": ("image/png", partial(saved, kind="TIFF")),
    "one-bit tiff": ("image/png", lambda: saved(NOISE.convert("1"), "TIFF")),
    "float tiff": ("image/png", lambda: saved(NOISE.convert("F"), "TIFF")),
    "transparent tiff": ("image/png", lambda: saved(NOISE.convert("RGBA"), "TIFF")),
    "ico": ("image/png", lambda: saved(NOISE.resize((64, 64)), "ICO")),
    "16-bit png": ("image/png", lambda: saved(Pillow.new("I;16", (64, 64), 40_000))),
    "cmyk jpeg": ("image/jpeg", lambda: saved(NOISE.convert("CMYK"), "JPEG")),
    "avif": ("image/jpeg", partial(saved, kind="AVIF")),
    "animated gif": ("image/png", lambda: two_frames("GIF")),
    "animated webp": ("image/jpeg", lambda: two_frames("WEBP")),
    "thin png": ("image/png", lambda: saved(NOISE.resize((16, 96)))),
}


@pytest.mark.parametrize("name", CONVERTED)
async def test_what_providers_refuse_is_converted(name: str) -> None:
    """Odd formats, animations and thin pictures become a plain RGB or grey picture."""
    media_type, make = CONVERTED[name]
    image = await load(make())
    picture = opened(image)
    assert image.media_type == media_type == f"image/{(picture.format or '').lower()}"
    assert picture.mode in ("RGB", "L")
    assert min(picture.size) >= 28
    header = read_header(pybase64.b64decode(image.base64))
    assert header is not None
    assert header.plain


async def test_sixteen_bits_keep_their_brightness() -> None:
    """A 16-bit grey of 40,000 is one of 156 in eight bits."""
    picture = opened(await load(CONVERTED["16-bit png"][1]()))
    assert picture.getextrema() == (156, 156)


async def test_transparency_becomes_white() -> None:
    """What nobody painted is paper, not black."""
    picture = opened(await load(saved(Pillow.new("RGBA", (64, 64), (0, 0, 0, 0)), "TIFF")))
    assert picture.convert("RGB").getpixel((5, 5)) == (255, 255, 255)


async def test_several_pictures_in_one_jpeg_are_cut_to_the_first() -> None:
    """A phone's MPO is cut, not decoded: the picture's own data stay byte for byte."""
    data = two_frames("MPO")
    image = await load(data)
    sent = pybase64.b64decode(image.base64)
    assert Pillow.open(io.BytesIO(data)).format == "MPO"
    picture = Pillow.open(io.BytesIO(sent))
    assert picture.format == "JPEG"
    assert picture.tobytes() == Pillow.open(io.BytesIO(data)).tobytes()
    assert data.count(sent[-1000:]) == 1


async def test_heic_is_read_where_its_package_is_there() -> None:
    """A phone's HEIC becomes a JPEG; without pillow-heif, the sentence names it."""
    heif = pytest.importorskip("pillow_heif")
    out = io.BytesIO()
    heif.from_pillow(NOISE).save(out)
    assert opened(await load(out.getvalue())).size == NOISE.size


async def test_large_pictures_are_scaled_to_max_pixels() -> None:
    """The shape stays, the media type may change, and small pictures are left alone."""
    large = NOISE.resize((900, 600))
    for kind in ("JPEG", "PNG", "WEBP", "BMP"):
        picture = opened(await load(saved(large, kind), max_pixels=60_000))
        assert picture.width * picture.height <= 60_000
        assert picture.width / picture.height == pytest.approx(1.5, rel=0.02)
    small = saved(kind="JPEG")
    assert (await load(small, max_pixels=60_000)).base64 == pybase64.b64encode(small)


async def test_scaling_honours_the_cameras_orientation() -> None:
    """A picture taken upright is made anew upright."""
    exif = Pillow.Exif()
    exif[0x0112] = 6
    picture = opened(await load(saved(NOISE.resize((900, 600)), "JPEG", exif=exif), max_pixels=60_000))
    assert picture.height > picture.width
    assert picture.getexif().get(0x0112) is None


@pytest.mark.parametrize(
    ("size", "told"), [((10, 100), "10 x 100 pixels"), ((100, 3), "100 x 3"), ((4400, 20), "200 times")]
)
async def test_sides_that_models_refuse_are_told(size: tuple[int, int], told: str) -> None:
    """A side of ten pixels or fewer, or a strip, fails here instead of at the provider."""
    for kind in ("PNG", "BMP"):
        assert told in str(await failure(saved(NOISE.resize(size), kind)))


async def test_a_bomb_is_refused_by_its_header(monkeypatch: pytest.MonkeyPatch) -> None:
    """What would unfold to more pixels than are allowed is not decoded; JPEG may be, when it is scaled meanwhile."""
    monkeypatch.setattr(recoding, "MAX_PIXELS", 20_000)
    large = NOISE.resize((400, 300))
    assert "would have to be decoded" in str(await failure(saved(large, "BMP")))
    assert opened(await load(saved(large, "JPEG"), max_pixels=5_000)).width < 90


async def test_a_claimed_size_is_not_believed_to_be_memory() -> None:
    """A few bytes that claim 30,000 x 30,000 pixels of 16 bits cost a sentence."""
    png = bytearray(CONVERTED["16-bit png"][1]())
    png[16:24] = struct.pack(">II", 30_000, 30_000)
    error = await failure(bytes(png))
    assert error.kind is Kind.BAD_IMAGE


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
async def test_a_picture_cut_short_is_told(kind: str) -> None:
    """Half a file is no picture, and costs no request."""
    data = saved(kind=kind)
    assert (await failure(data[: len(data) // 2])).kind is Kind.BAD_IMAGE
    assert (await failure(data[:14])).kind is Kind.BAD_IMAGE


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "is empty"),
        (b"hello", "no image"),
        (b"<!DOCTYPE html><p>404", "an HTML page"),
        (b"<svg xmlns='x'/>", "an SVG drawing"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"%PDF-1.7", "a PDF document"),
        (bytes(5000), "zero bytes"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n", "no image"),
    ],
)
async def test_what_is_no_picture_is_named(tmp_path: Path, data: bytes, told: str) -> None:
    """The sentence says what the file seems to be instead."""
    (tmp_path / "x.png").write_bytes(data)
    error = await failure("x.png", tmp_path)
    assert told in str(error)
    assert "'x.png'" in str(error)
    assert (error.kind, error.retryable) == (Kind.BAD_IMAGE, False)


@pytest.mark.parametrize("name", ["a.png", "with space.png", "ünï-图.png", "~", "sub/../a.png", "#%20?.png", "-x"])
async def test_files_are_found_by_any_name(tmp_path: Path, name: str) -> None:
    """Spaces, dots, other scripts and shell signs are letters of a name, and nothing more."""
    (tmp_path / "sub").mkdir()
    (tmp_path / name).write_bytes(saved())
    assert (await load(name, tmp_path)).media_type == "image/png"
    assert (await load(str(tmp_path / name))).media_type == "image/png"
    assert (await load((tmp_path / name).as_uri())).media_type == "image/png"


async def test_roots_are_tried_in_order(tmp_path: Path) -> None:
    """The first root that holds the file wins; a failure says where it was looked for."""
    for folder, kind in (("one", "PNG"), ("two", "GIF")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x").write_bytes(saved(kind=kind))
    (tmp_path / "two" / "y").write_bytes(saved(kind="GIF"))
    roots = (tmp_path / "one", tmp_path / "two")
    assert (await load_one("x", roots=roots, reading=Reading())).media_type == "image/png"
    assert (await load_one("y", roots=roots, reading=Reading())).media_type == "image/gif"
    with pytest.raises(RecordError, match=r"does not exist \(looked in .*one, .*two\)"):
        await load_one("z", roots=roots, reading=Reading())


def test_roots_are_the_option_or_the_inputs_folder() -> None:
    """``--image-root`` alone; else beside the input, then the working directory."""
    assert image_roots(Reading(image_root="/r"), Path("in/x.jsonl")) == (Path("/r"),)
    assert image_roots(Reading(), Path("in/x.jsonl")) == (Path("in"), Path())
    assert image_roots(Reading(), Path("x.jsonl")) == image_roots(Reading()) == (Path(),)


async def test_what_is_no_regular_file_is_never_opened(tmp_path: Path) -> None:
    """Folders, named pipes and devices are told, and do not block."""
    os.mkfifo(tmp_path / "pipe")
    assert "a named pipe" in str(await failure("pipe", tmp_path))
    assert "a folder" in str(await failure(str(tmp_path)))
    assert "a device" in str(await failure("/dev/zero"))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="a file of the Linux kernel")
async def test_a_file_without_a_size_is_empty() -> None:
    """The kernel's own files tell no size, and are no pictures."""
    assert "is empty" in str(await failure("/proc/self/status"))


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xd8" + b"\xff" * 3_000_000,
        b"\xff\xd8" + b"\xff\xd0" * 1_500_000,
        b"GIF89a" + bytes((64, 0, 64, 0, 0, 0, 0)) + b"\x21\xff" + b"\1x" * 1_500_000,
        b"GIF89a" + bytes((64, 0, 64, 0, 0, 0, 0)) + b"\x21\xff\0" * 1_000_000,
    ],
    ids=["fill bytes", "restarts", "small blocks", "extensions"],
)
async def test_files_made_to_be_slow_are_not(data: bytes) -> None:
    """Headers that never end are given up."""
    with pytest.raises(RecordError):
        await load_one(data, roots=(), reading=Reading(), time_limit=5)


async def test_a_huge_file_is_refused_by_its_size(tmp_path: Path) -> None:
    """Two gigabytes cost a stat."""
    with (tmp_path / "huge.png").open("wb") as file:
        file.truncate(2_000_000_000)
    error = await failure("huge.png", tmp_path)
    assert error.kind is Kind.TOO_LARGE
    assert "2,000 MB" in str(error)


async def test_a_file_that_may_not_be_read_is_told(tmp_path: Path) -> None:
    """Permissions are named (root may read everything)."""
    (tmp_path / "x.png").write_bytes(saved())
    (tmp_path / "x.png").chmod(0)
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    assert "permission denied" in str(await failure("x.png", tmp_path))


@pytest.mark.parametrize(
    ("ref", "told"),
    [
        ("", "empty name"),
        ("   ", "empty name"),
        ("nowhere.png", "does not exist"),
        ("a/b/../../nowhere.png", "does not exist"),
        ("x\0y.png", "no possible path"),
        ("\ud800.png", "no possible path"),
        ("n" * 5000, "(5,000 characters) cannot be read"),
        ("s3://bucket/x.png", "s3:// is not http, https, file or data"),
        ("file://elsewhere/x.png", "on another host, elsewhere"),
        ("data:image/png;base64", "without a comma"),
        ("data:image/png;base64,!!!!", "base64 is damaged"),
        ("data:image/png;base64,AAA\ud800", "base64 is damaged"),
        ("data:image/png;base64,AAAA", "zero bytes"),
        ("data:,", "is empty"),
        ("data:,hello%20you", "no image"),
    ],
)
async def test_references_that_lead_nowhere_are_told(tmp_path: Path, ref: str, told: str) -> None:
    """Each is one sentence about that reference."""
    assert told in str(await failure(ref, tmp_path))


async def test_data_urls_carry_pictures() -> None:
    """Whatever type they claim, however they are written, the bytes decide."""
    data = saved()
    text = pybase64.b64encode(data).decode()
    folded = "\r\n".join(text[at : at + 76] for at in range(0, len(text), 76))
    bodies = (text, folded, text.rstrip("="), text.replace("+", "-").replace("/", "_"), text.replace("+", "%2B"))
    for head in ("data:image/jpeg;base64,", "data:;base64,", "DATA:image/png;charset=utf-8;BASE64,"):
        for body in bodies:
            image = await load(head + body)
            assert (image.media_type, image.base64) == ("image/png", text.encode())
    percents = "".join(f"%{byte:02x}" for byte in data)
    assert (await load(f"data:image/png,{percents}")).base64 == text.encode()


async def test_urls_are_handed_on() -> None:
    """Without ``--inline-urls`` the provider fetches."""
    for url in ("http://example.com/a b.png?x=1,2#y", "HTTPS://EXAMPLE.com/ü"):
        assert await load(url) == Image(url=url)


async def test_weight_is_known_before_reading(tmp_path: Path) -> None:
    """A file weighs by its size, a URL that is handed on nothing, and what is not there nothing either."""
    (tmp_path / "x.png").write_bytes(bytes(3000))
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(MAX_BYTES + 1)

    async def size(*refs: str | bytes, reading: Reading = Reading()) -> int:  # noqa: B008 - frozen
        return (await weigh(refs, roots=(tmp_path,), reading=reading, threads=Threads())).size

    assert await size("x.png") == await size(bytes(3000)) == 8000
    assert await size("x.png", "x.png", "nowhere") == 16000
    assert await size("data:image/png;base64," + "A" * 4000) == pytest.approx(8000, rel=0.02)
    assert await size("http://example.com/x.png", "nowhere", "\0", "huge") == await size() == 0
    assert await size("http://e.com/x", reading=Reading(inline_urls=True)) > 1_000_000


async def test_the_stamp_tells_that_a_file_changed(tmp_path: Path) -> None:
    """Also that it came to be; data and URLs have none, since the record itself holds them."""

    async def stamp(*refs: str | bytes) -> str:
        return (await weigh(refs, roots=(tmp_path,), reading=Reading(), threads=Threads())).stamp

    missing = await stamp("x.png")
    (tmp_path / "x.png").write_bytes(b"1")
    first = await stamp("x.png")
    (tmp_path / "x.png").write_bytes(b"12")
    assert len({missing, first, await stamp("x.png"), ""}) == 4
    assert await stamp("http://e.com/x", "data:,a", b"b") == ""


@given(data=st.binary(max_size=200), start=st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a"]))
def test_headers_of_junk_never_raise(start: bytes, data: bytes) -> None:
    """Any bytes have a header or none."""
    read_header(start + data)
    read_header(b"RIFF" + data[:4].ljust(4) + b"WEBP" + start + data)


SAMPLES = [make() for _, make in (*PLAIN.values(), *CONVERTED.values())] + [two_frames("MPO")]


@settings(max_examples=150, deadline=None)
@given(
    data=st.sampled_from(SAMPLES),
    cut=st.floats(0, 1),
    flips=st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), max_size=8),
    max_pixels=st.sampled_from([None, 2000]),
)
async def test_damaged_pictures_load_or_fail_as_records(
    data: bytes, cut: float, flips: list[tuple[float, int]], max_pixels: int | None
) -> None:
    """Nothing but RecordError comes out of a file that was damaged somewhere."""
    broken = bytearray(data[: int(len(data) * cut) or len(data)])
    for at, value in flips:
        broken[int(at * min(len(broken), 400))] = value
    with contextlib.suppress(RecordError):
        await load(bytes(broken), max_pixels=max_pixels)


@settings(max_examples=200, deadline=None)
@given(body=st.text(max_size=60) | st.from_regex(r"(image/\w+)?(;\w+)*,[A-Za-z0-9+/=%_-]*", fullmatch=True))
async def test_any_reference_loads_or_fails_as_a_record(body: str) -> None:
    """Nothing but RecordError comes out of a reference, whatever is written in it."""
    for ref in (f"data:{body}", f"data:image/png;base64,{body}", f"file:{body}", f"/nowhere/{body}"):
        with pytest.raises(RecordError):
            await load(ref)


async def test_light_images_are_read_while_they_are_weighed(tmp_path: Path) -> None:
    """All of a record's or none: heavy ones, and those that need work or are missing, wait for their turn."""
    plain, odd = PLAIN["png"][1](), CONVERTED["bmp"][1]()
    (tmp_path / "a.png").write_bytes(plain)
    (tmp_path / "b.bmp").write_bytes(odd)
    light = partial(weigh, roots=(tmp_path,), reading=Reading(), threads=Threads(), light=100_000)
    found = await light(["a.png", "a.png"])
    assert found.loaded == (await load_one("a.png", roots=(tmp_path,), reading=Reading()),) * 2
    for refs in (["a.png", "b.bmp"], ["a.png", "none.png"], ["a.png", "http://e.com/x"], [plain]):
        assert (await light(refs)).loaded is None
    assert (await light(["a.png"], light=len(plain) - 1)).loaded is None
