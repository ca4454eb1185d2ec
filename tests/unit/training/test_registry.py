"""Releases on disk: whole or not at all, whole by themselves, and what changed since is found."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import shutil
import signal
from pathlib import Path

import pytest

from retrieval.publish import leftovers
from tests.unit.training.shelf import NOON, add, draft, encoder_folder, evaluation
from training import registry
from training.errors import ReleaseError
from training.registry import find_release, list_releases, outdated, remove_release, resolve
from training.release import EncoderOf, read_release
from training.trained import read_trained


@pytest.fixture
def releases(tmp_path: Path) -> Path:
    return tmp_path / "home" / "releases"


@pytest.fixture
def encoder(tmp_path: Path) -> Path:
    return encoder_folder(tmp_path / "tuned")


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def names(releases: Path) -> list[str]:
    return [found.name for found in list_releases(releases)]


def test_what_was_added_is_read_again(releases: Path, encoder: Path) -> None:
    baselines = {"base": evaluation(0.85)}
    made = add(releases, draft(encoder, settings={"threshold": 0.3}, baselines=baselines))
    assert made.name.startswith("2026-11-26-full-")
    assert len(made.name) == len("2026-11-26-full-3f2a")
    found = read_release(releases, made.name, verify=True)
    assert found == made
    assert found.made == NOON
    assert found.encoder.source == "folder"
    assert found.encoder_folder == releases / made.name / "encoder"
    assert (found.settings, found.baselines, found.card) == ({"threshold": 0.3}, baselines, "# 卡片\n")
    assert [path.relative_to(found.folder).as_posix() for path in files(found.folder)] == [
        "baselines.json",
        "card.md",
        "encoder/1_Pooling/config.json",
        "encoder/encoder.onnx",
        "encoder/manifest.json",
        "encoder/tokenizer.json",
        "evaluation.json",
        "release.json",
        "seal.json",
    ]


def test_a_release_on_the_encoder_of_the_settings_has_no_folder_of_it(releases: Path) -> None:
    made = add(releases, draft())
    assert made.encoder == EncoderOf("embedded", "f" * 64)
    assert made.encoder_folder is None
    assert not (made.folder / "encoder").exists()


def test_a_flipped_byte_anywhere_is_found(releases: Path, encoder: Path) -> None:
    made = add(releases, draft(encoder))
    for path in files(made.folder):
        good = path.read_bytes()
        for place in (0, len(good) // 2, len(good) - 1):
            path.write_bytes(good[:place] + bytes([good[place] ^ 4]) + good[place + 1 :])
            assert find_release(releases, made.name, verify=True).trouble, (path.name, place)
        path.write_bytes(good)
        path.rename(path.with_suffix(".away"))
        assert find_release(releases, made.name).trouble, path.name
        path.with_suffix(".away").rename(path)
    assert not find_release(releases, made.name, verify=True).trouble


def test_a_listing_looks_at_sizes_and_at_what_it_shows(releases: Path, encoder: Path) -> None:
    made = add(releases, draft(encoder))
    weights = made.folder / "encoder" / "encoder.onnx"
    good = weights.read_bytes()
    weights.write_bytes(good[:-1] + b"?")
    assert not find_release(releases, made.name).trouble  # 450 MB are not read for a list
    weights.write_bytes(good[:-1])
    assert "encoder.onnx is missing or cut short" in find_release(releases, made.name).trouble
    weights.write_bytes(good)
    (made.folder / "evaluation.json").write_text('{"metrics": {"intent.accuracy": 1}}')
    assert "evaluation.json has changed" in find_release(releases, made.name).trouble


def test_one_content_is_kept_once_and_each_release_stands_alone(releases: Path, encoder: Path) -> None:
    first = add(releases, draft(encoder))
    second = add(releases, draft(encoder, accuracy=0.91))
    other = add(releases, draft(encoder_folder(encoder.with_name("other"), seed=1)))
    weights = [made.folder / "encoder" / "encoder.onnx" for made in (first, second, other)]
    assert weights[0].samefile(weights[1])
    assert not weights[0].samefile(weights[2])
    tokenizers = [made.folder / "encoder" / "tokenizer.json" for made in (first, other)]
    assert tokenizers[0].samefile(tokenizers[1])
    assert not weights[0].samefile(encoder / "encoder.onnx")  # a training run may go on writing there
    remove_release(releases, first.name, aliased=())
    assert not first.folder.exists()
    assert not find_release(releases, second.name, verify=True).trouble


def test_without_links_files_are_copied(
    releases: Path, encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def link(source: Path, target: Path) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    first, second = (add(releases, draft(encoder, accuracy=a)) for a in (0.9, 0.91))
    assert not (first.folder / "encoder" / "encoder.onnx").samefile(
        second.folder / "encoder" / "encoder.onnx"
    )
    assert not find_release(releases, second.name, verify=True).trouble


def test_a_damaged_twin_is_not_shared(releases: Path, encoder: Path) -> None:
    first = add(releases, draft(encoder))
    weights = first.folder / "encoder" / "encoder.onnx"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    second = add(releases, draft(encoder, accuracy=0.91))
    assert find_release(releases, first.name, verify=True).trouble
    assert not find_release(releases, second.name, verify=True).trouble


def test_the_same_again_is_the_one_that_is_there(releases: Path, encoder: Path) -> None:
    first = add(releases, draft(encoder))
    assert add(releases, draft(encoder), hours=1) == first
    assert names(releases) == [first.name]
    assert add(releases, draft(encoder), hours=24).name == first.name.replace("26-full", "27-full")


def test_a_damaged_release_is_mended_by_adding_it_again(releases: Path, encoder: Path) -> None:
    made = add(releases, draft(encoder))
    (made.folder / "card.md").write_text("other")
    assert add(releases, draft(encoder)) == made
    assert not find_release(releases, made.name, verify=True).trouble


def test_names_that_begin_alike_grow(releases: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_content", lambda release: "3f2a" + release.card)
    assert [add(releases, draft(card=card)).name for card in ("aa", "bb", "aa")] == [
        "2026-11-26-head-3f2a",
        "2026-11-26-head-3f2ab",
        "2026-11-26-head-3f2a",
    ]


def test_an_encoder_that_changed_while_it_was_taken_is_refused(releases: Path, encoder: Path) -> None:
    weights = encoder / "encoder.onnx"
    weights.write_bytes(b"?" + weights.read_bytes()[1:])
    with pytest.raises(ReleaseError, match=r"encoder\.onnx has changed since the encoder was made"):
        add(releases, draft(encoder))
    assert leftovers(releases) == []
    assert names(releases) == []


def test_what_is_no_encoder_is_refused(releases: Path, tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="No encoder in"):
        add(releases, draft(tmp_path))


def test_a_disk_without_room_is_said_before_anything_is_copied(
    releases: Path, encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(encoder)._replace(free=64_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(ReleaseError, match=r"64 MB are free\. Make room: `kefu releases prune`"):
        add(releases, draft(encoder))
    assert files(releases) == [releases / "registry.lock"]


def test_a_disk_that_fills_up_meanwhile_leaves_nothing(
    releases: Path, encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = add(releases, draft())

    def full(source: Path, target: Path) -> None:
        target.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copyfile", full)
        with pytest.raises(ReleaseError, match="No space left on device"):
            add(releases, draft(encoder))
    assert (names(releases), leftovers(releases)) == ([kept.name], [])
    assert add(releases, draft(encoder)).name in names(releases)


def _killed(releases: Path, encoder: Path) -> None:
    def stop(source: Path, target: Path) -> None:
        target.write_bytes(b"half")
        os.kill(os.getpid(), signal.SIGKILL)

    shutil.copyfile = stop  # type: ignore[assignment]
    add(releases, draft(encoder))


def test_a_killed_run_leaves_no_release_and_the_next_one_tidies_up(releases: Path, encoder: Path) -> None:
    child = multiprocessing.get_context("spawn").Process(target=_killed, args=(releases, encoder))
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL
    assert names(releases) == []
    assert len(leftovers(releases)) == 1
    made = add(releases, draft(encoder))
    assert (names(releases), leftovers(releases)) == ([made.name], [])


def test_a_list_is_newest_first_and_heads_are_no_releases(releases: Path) -> None:
    old, new = (add(releases, draft(accuracy=a), hours=h) for a, h in ((0.9, 0), (0.8, 5)))
    broken = add(releases, draft(accuracy=0.7), hours=9)
    (broken.folder / "seal.json").unlink()
    (releases / "heads-0123456789abcdef").mkdir()
    (releases / "heads-0123456789abcdef" / "heads.json").write_text("{}")
    assert names(releases) == [new.name, old.name, broken.name]
    assert list_releases(releases / "none") == []


def test_a_release_under_another_name_is_not_believed(releases: Path) -> None:
    made = add(releases, draft())
    made.folder.rename(releases / "mine")
    assert "was renamed" in find_release(releases, "mine").trouble


def test_a_format_of_tomorrow_is_said(releases: Path) -> None:
    from training.sealed import sealed

    with sealed(releases / "x") as place:
        (place / "release.json").write_text(json.dumps({"format": 2, "name": "x"}))
    assert "of a later Kefu" in find_release(releases, "x").trouble


def test_what_is_in_use_stays(releases: Path) -> None:
    made = add(releases, draft())
    for name in ("base", made.name):
        with pytest.raises(ReleaseError, match="is in use and stays"):
            remove_release(releases, name, aliased={made.name})
    for name in ("nobody", "..", ".", f"../releases/{made.name}"):
        with pytest.raises(ReleaseError, match="There is no release"):
            remove_release(releases, name, aliased=())
    assert made.folder.exists()


def test_pruning_keeps_the_newest_and_what_is_in_use(releases: Path) -> None:
    made = [add(releases, draft(accuracy=n / 10), hours=n).name for n in range(6)]
    (releases / made[5] / "card.md").write_text("?")
    found = list_releases(releases)
    assert outdated(found, aliased={made[0]}, keep=2) == [made[5], made[2], made[1]]
    assert outdated(found, aliased=made, keep=0) == []


def test_a_server_tries_live_then_previous_then_base(releases: Path, encoder: Path) -> None:
    live, before = add(releases, draft(encoder)), add(releases, draft(accuracy=0.8))
    weights = live.folder / "encoder" / "encoder.onnx"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    found = resolve((live.name, before.name), releases, verify=True)
    assert [one.name for one in found] == [live.name, before.name, "base"]
    assert "encoder.onnx has changed" in found[0].trouble
    assert (found[1].release, found[1].trouble) == (before, "")
    assert (found[2].release, found[2].trouble) == (None, "")
    shutil.rmtree(live.folder)
    assert "There is no release" in resolve((live.name,), releases)[0].trouble
    assert [one.name for one in resolve(("base",), releases)] == ["base"]


def test_a_release_remembers_what_its_encoder_was_trained_on(tmp_path: Path) -> None:
    encoder = encoder_folder(tmp_path / "encoder")
    tuned = add(tmp_path / "releases", draft(encoder, trained=["b" * 64, "a" * 64]))
    assert read_trained(tuned.folder) == {"a" * 16, "b" * 16}
    frozen = add(tmp_path / "releases", draft())
    assert read_trained(frozen.folder) == frozenset()
    (tuned.folder / "trained.json").write_text("[]\n", "utf-8")
    with pytest.raises(ReleaseError):
        read_release(tmp_path / "releases", tuned.name)
