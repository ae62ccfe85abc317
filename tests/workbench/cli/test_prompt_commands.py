"""`workbench predict` with points, boxes and masks."""

import json

import numpy as np
import pytest
from PIL import Image

from tests.trained_runs import train_run
from workbench import data
from workbench.data import shape_films, shape_instances, shape_scenes
from workbench.tasks import scalers


@pytest.fixture
def scenes(monkeypatch):
    arrays = shape_scenes.draw_scenes(shape_scenes.options(), 20, shape_scenes.FIRST_SEED)
    instances = shape_instances.draw_instances(20)
    monkeypatch.setattr(data, "load", lambda name, seed=0: data.deal({"train": arrays}, seed))
    monkeypatch.setattr(scalers, "_training_facts", scalers._training_facts.__wrapped__)
    monkeypatch.setattr(shape_instances, "load", lambda: instances)


@pytest.fixture
def photo(tmp_path):
    pixels = np.zeros((60, 100, 3), np.uint8)
    pixels[10:40, 20:60] = (200, 60, 30)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    return str(tmp_path / "photo.png")


@pytest.mark.full
def test_masks_of_prompts_are_printed(cli, scenes, photo):
    run = train_run("sam", steps=2, batch_size=2)
    result = json.loads(cli("predict", run.id, photo, "--point", "30,20", "--json").out)
    [prediction] = result["predictions"]
    assert (prediction["file"], len(prediction["masks"])) == (photo, 3)
    plain = cli("predict", run.id, photo, "--point", "30,20", "--point", "5,5,0", "--box", "20,10,60,40")
    assert plain.code == 0 and "predicted IoU" in plain.out and run.id in plain.out
    assert max(map(len, plain.out.splitlines())) <= 80
    for words, message in (
        ([], "Add what to segment"),
        (["--point", "2"], "--point is X,Y in pixels, or X,Y,LABEL"),
        (["--point", "2,3,7"], "not '2,3,7'"),
        (["--box", "1,2,x,4"], "--box is X1,Y1,X2,Y2 in pixels, not '1,2,x,4'"),
        (["--point", "30,20", "--csv", "out.csv"], "--csv is for predictions without masks"),
    ):
        rejected = cli("predict", run.id, photo, *words)
        assert (rejected.code, rejected.err.count("\n")) == (2, 1) and message in rejected.err


def test_prompts_are_for_networks_that_read_them(cli, tmp_path):
    run = train_run("lenet5-modern", steps=2)
    Image.new("L", (8, 8)).save(tmp_path / "digit.png")
    result = cli("predict", run.id, str(tmp_path / "digit.png"), "--point", "3,4")
    assert result.code == 2 and "reads no prompts. Leave --point, --box and --mask out" in result.err


@pytest.mark.full
def test_frames_of_a_folder_or_an_animation_are_a_video(cli, scenes, monkeypatch, tmp_path):
    monkeypatch.setattr(shape_films, "load", lambda: films)
    films = shape_films.draw_films(6)
    run = train_run("sam2", steps=1, batch_size=2)
    frames = [Image.fromarray(frame.transpose(1, 2, 0)) for frame in films[0][0]]
    (tmp_path / "film").mkdir()
    for k, frame in enumerate(frames):
        frame.save(tmp_path / "film" / f"{k}.png")
    frames[0].save(tmp_path / "film.gif", save_all=True, append_images=frames[1:])
    result = json.loads(cli("predict", run.id, str(tmp_path / "film"), "--point", "30,20", "--json").out)
    names = [(one["file"].split("/")[-1], len(one["masks"])) for one in result["predictions"]]
    assert names == [(f"{k}.png", 1) for k in range(len(frames))]
    plain = cli("predict", run.id, str(tmp_path / "film.gif"), "--box", "10,10,50,40")
    assert plain.code == 0 and all(f"film.gif:{k}" in plain.out for k in range(len(frames)))
