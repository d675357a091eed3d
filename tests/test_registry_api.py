"""The model routes: what they answer, and what they refuse."""

import json
import logging

import pytest

from raxe.api.registry_service import MAX_LISTED
from raxe.registry.index import INDEX
from tests.factories import MODEL_ID, ModelsFolder
from tests.handlers import load_handler
from tests.served import Served

CANARY = "xyloph0ne-canary"


def test_models_are_listed_by_what_they_are(served: Served) -> None:
    """By id, each filter narrows, all tags must be there."""
    queries = [{}, {"status": "active"}, {"tags": "small,new"}, {"tags": "small,old"}, {"runtime": "onnx", "tags": ""}]
    answers = [served.get(**query) for query in queries[:-1]]
    assert [[each["id"] for each in answer.body["models"]] for answer in answers] == [
        ["second", MODEL_ID], [MODEL_ID], ["second"], [],
    ]  # fmt: skip
    assert [answer.body["count"] for answer in answers] == [2, 1, 1, 0]
    assert served.get(**queries[-1]).status == 422


def test_a_long_list_is_cut_and_says_so(served: Served) -> None:
    """The answer stays within what Lambda may return."""
    model = json.loads(served.store.objects[INDEX])["models"][MODEL_ID]
    ids = [f"model-{number:04}" for number in range(MAX_LISTED + 10)]
    served.edit_index(lambda index: index["models"].update({each: model | {"model_id": each} for each in ids}))
    answer = served.get()
    assert (len(answer.body["models"]), answer.body["count"]) == (MAX_LISTED, MAX_LISTED + 12)
    assert answer.body["truncated"]
    assert len(json.dumps(answer.body)) < 1_000_000


def test_one_model_comes_by_id_and_by_alias(served: Served) -> None:
    """Its whole metadata, and the aliases that point to it."""
    for name in (MODEL_ID, "champion"):
        body = served.get(f"/{name}").body
        assert (body["model"]["model_id"], body["aliases"]) == (MODEL_ID, ["champion"])
        assert body["model"]["file_info"]["bundle"].startswith("objects/sha256/")
    assert served.get("/second").body["aliases"] == []


def test_the_best_and_a_comparison(served: Served) -> None:
    """Only active models are best; figures come in the order that was asked for."""
    assert served.get("/best").body["model"]["model_id"] == MODEL_ID
    assert served.get("/best", criteria="memory").body["model"]["model_id"] == MODEL_ID
    figures = served.get("/compare", ids=f"second,{MODEL_ID}").body["models"]
    assert [each["model_id"] for each in figures] == ["second", MODEL_ID]
    assert figures[0]["recall"] is None
    served.edit_index(lambda index: index["models"].pop(MODEL_ID))
    assert (served.get("/best").status, served.get("/best").content_type) == (404, "application/problem+json")


def test_status_says_what_is_there_and_what_would_serve(served: Served) -> None:
    """Catalog, aliases, broken models, the choice with its steps, what is on this machine."""
    served.edit_index(lambda index: index["models"].update(broken={"model_id": "broken", "ml_config": 1}))
    body = served.get("/status").body
    assert (body["source"], body["aliases"]) == ("folder", {"champion": MODEL_ID})
    assert (body["catalog"]["models"], body["catalog"]["broken"], body["catalog"]["stale"]) == (2, 1, False)
    assert body["catalog"]["etag"] == served.store.stat(INDEX).etag
    assert [(each["name"], each["error"]) for each in body["errors"]] == [("broken", "InvalidMetadata")]
    assert "version: is required" in body["errors"][0]["message"]
    assert body["serving"]["model_id"] == MODEL_ID
    assert body["serving"]["steps"][0] == {
        "source": "RAXE_L2_MODEL", "outcome": "picked", "model_id": MODEL_ID, "reason": "named by an alias",
    }  # fmt: skip
    assert body["cache"] == {"files": 0, "size_bytes": 0, "models": []}
    answer = served.get("/broken")
    assert (answer.status, answer.body["errors"][0]["field"]) == (409, "id")


BAD: dict[str, tuple[str, dict[str, str], int, list[str]]] = {
    "status": ("", {"status": "retired"}, 422, ["status"]),
    "two of one": ("", {"status": "active,experimental"}, 422, ["status"]),
    "runtime": ("", {"runtime": "torch"}, 422, ["runtime"]),
    "tag of nothing": ("", {"tags": "a,,b"}, 422, ["tags.1"]),
    "tag too long": ("", {"tags": "a" * 65}, 422, ["tags.0"]),
    "too many tags": ("", {"tags": ",".join("abcdefghijk")}, 422, ["tags"]),
    "unknown parameter": ("", {"limit": "1"}, 422, ["limit"]),
    "parameter that is a text": ("", {"what is this": "1"}, 422, ["(unknown)"]),
    "criterion": ("/best", {"criteria": "speed"}, 422, ["criteria"]),
    "unknown parameter of best": ("/best", {"by": "memory"}, 422, ["by"]),
    "no ids": ("/compare", {}, 422, ["ids"]),
    "one id": ("/compare", {"ids": MODEL_ID}, 422, ["ids"]),
    "one id twice": ("/compare", {"ids": f"{MODEL_ID},{MODEL_ID}"}, 422, ["ids"]),
    "eleven ids": ("/compare", {"ids": ",".join(f"model-{n}" for n in range(11))}, 422, ["ids"]),
    "id that is none": ("/compare", {"ids": f"{MODEL_ID},../secret"}, 422, ["ids.1"]),
    "unknown id": ("/compare", {"ids": f"{MODEL_ID},nobody"}, 404, ["ids.1"]),
    "unknown model": ("/nobody", {}, 404, ["id"]),
    "model that climbs": ("/..%2Fsecret", {}, 404, []),
    "parameter of a model": (f"/{MODEL_ID}", {"fields": "all"}, 422, ["fields"]),
    "parameter of status": ("/status", {"verbose": "1"}, 422, ["verbose"]),
    "below a model": (f"/{MODEL_ID}/files", {}, 404, []),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_a_problem_that_names_the_field(served: Served, name: str) -> None:
    """No value comes back, and nothing is read for it that would not be read anyway."""
    path, query, status, fields = BAD[name]
    answer = served.get(path, **query)
    assert (answer.status, answer.content_type) == (status, "application/problem+json")
    assert [error["field"] for error in answer.body["errors"]] in (fields, ["id"] if status == 404 else fields)
    assert answer.body["request_id"] == "the-request"


@pytest.mark.parametrize("path", ["", "/best", "/compare", "/status", f"/{CANARY}", f"/{MODEL_ID}", "/reload"])
def test_nothing_of_a_request_comes_back(
    served: Served, path: str, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """A canary in every parameter, name, token and path is nowhere in answer, log or metrics."""
    caplog.set_level(logging.DEBUG)
    names = ("status", "tags", "runtime", "criteria", "ids", f"{CANARY} as a name")
    answers = [served.get(path, **dict.fromkeys(names, value)) for value in (CANARY, f"{MODEL_ID},{CANARY}")]
    answers += [served.get(path), served.reload({"jwt": {"claims": {"scope": CANARY}}}), served.reload(x=CANARY)]
    printed = capsys.readouterr()
    said = f"{answers}\n{printed.out}\n{printed.err}\n{caplog.text}\n{[vars(record) for record in caplog.records]}"
    assert "xyloph0ne" not in said
    assert MODEL_ID in f"{served.get()}"


def test_the_function_reads_its_environment(models: ModelsFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """``functions/registry`` serves the folder of its variables."""
    monkeypatch.setenv("MODEL_SOURCE", "efs")
    monkeypatch.setenv("RAXE_MODELS_DIR", str(models.root))
    body = load_handler("registry", "/v1/models/status", "GET").send("").body
    assert (body["source"], body["catalog"]["models"], body["cache"]["models"]) == ("efs", 1, [MODEL_ID])
