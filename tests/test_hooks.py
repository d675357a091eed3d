"""The hook before traffic: what it finds out about a version, and that CodeDeploy is told once, whatever happens."""

import dataclasses
import time
from typing import Any

import pytest

from raxe.adapters.release import CodeDeployHooks, LambdaFunction
from raxe.bootstrap import Engine
from raxe.detectors import RuleDetector, StubDetector
from raxe.errors import InvalidEvent, ServiceFailed
from raxe.policy import Policy
from raxe.protocols import ModelLayer, RuleLayer
from raxe.release import traffic
from raxe.release.golden import ATTACKS, BENIGN
from raxe.release.hooks import Outcome
from raxe.release.traffic import pre_traffic
from raxe.rules import load_rule_set
from raxe.scanner import Scanner
from tests.aws import ARN, FakeAws
from tests.factories import MODEL_ID, ModelsFolder
from tests.fakes import FakeModel, FakeRules, Raising
from tests.handlers import scan_handler_of
from tests.hooks import EVENT, TIME_S, VERSION, failed, serve
from tests.stack import render

PRE_CHECKS = {
    "golden attacks", "golden benign texts", "no layer fails", "version", "model", "golden scores", "latency",
    "a bad body is refused",
}  # fmt: skip


@pytest.fixture
def environ(models: ModelsFolder) -> dict[str, str]:
    """The variables of the hook before traffic, with the models of the version."""
    return {
        "RAXE_MODELS_DIR": str(models.root), "RAXE_HOOK_VERSION": VERSION, "RAXE_HOOK_LATENCY_MS": "10000",
    }  # fmt: skip


def engine_with(engine: Engine, rules: RuleLayer | None = None, model: ModelLayer | None = None) -> Engine:
    """The engine with another layer."""
    scanner = Scanner(rules or RuleDetector(load_rule_set()), model or engine.scanner.model, Policy())
    return dataclasses.replace(engine, scanner=scanner)


def before(aws: FakeAws, environ: dict[str, str], remaining_s: float = TIME_S) -> Outcome:
    """Runs the hook before traffic; exactly one report must come of it, and it must say what the outcome says."""
    outcome = pre_traffic(EVENT, environ, remaining_s)
    assert aws.reports == [("d-1", "hook-1", "Succeeded" if outcome.succeeded else "Failed")]
    return outcome


class TestBeforeTraffic:
    """What is asked of a version that nobody has reached yet."""

    def test_a_good_version_passes_every_check(self, aws: FakeAws, environ: dict[str, str], engine: Engine) -> None:
        """Verdicts, model, scores, latency and refusal are looked at, and all hold."""
        serve(aws, scan_handler_of(engine))
        outcome = before(aws, environ)
        assert failed(outcome) == {}
        assert {each.check for each in outcome.findings} == PRE_CHECKS

    def test_a_version_without_its_model_is_wanted_so(
        self, aws: FakeAws, environ: dict[str, str], engine: Engine
    ) -> None:
        """With the model turned off the rules alone must answer, and a model that answers all the same is wrong."""
        serve(aws, scan_handler_of(engine_with(engine, model=StubDetector())))
        assert before(aws, environ | {"USE_ONNX_ONLY": "false"}).succeeded
        aws.reports.clear()
        serve(aws, scan_handler_of(engine))
        assert failed(before(aws, environ | {"USE_ONNX_ONLY": "false"})).keys() == {"model"}

    @pytest.mark.parametrize(
        ("layers", "checks"),
        [
            ({"rules": FakeRules()}, {"golden attacks"}),
            ({"rules": FakeRules("a")}, {"golden benign texts"}),
            ({"model": FakeModel()}, {"model"}),
            ({"model": Raising(RuntimeError("boom"))}, {"model", "no layer fails", "golden benign texts"}),
        ],
        ids=["blind", "flags-all", "other-model", "model-fails"],
    )
    def test_a_bad_version_fails_where_it_is_bad(
        self, aws: FakeAws, environ: dict[str, str], engine: Engine, layers: dict[str, Any], checks: set[str]
    ) -> None:
        """What is wrong is named, and nothing else."""
        serve(aws, scan_handler_of(engine_with(engine, **layers)))
        assert failed(before(aws, environ)).keys() == checks

    def test_a_changed_model_file_is_noticed(
        self, aws: FakeAws, environ: dict[str, str], engine: Engine, models: ModelsFolder
    ) -> None:
        """A version that answers with another bundle than the one deployed fails by its digest."""
        serve(aws, scan_handler_of(engine))
        models.replace_bundle(version="2.0.0")
        assert MODEL_ID in failed(before(aws, environ))["model"]

    def test_a_kernel_that_scores_otherwise_is_noticed(
        self, aws: FakeAws, environ: dict[str, str], engine: Engine, models: ModelsFolder
    ) -> None:
        """Golden scores that differ by more than rounding fail."""
        models.replace("golden", b'{"texts": [{"text": "a plain question", "score": 0.9}]}')
        serve(aws, scan_handler_of(engine))
        assert failed(before(aws, environ)).keys() == {"golden scores"}

    def test_slow_and_old_versions_fail(self, aws: FakeAws, environ: dict[str, str], engine: Engine) -> None:
        """The latency budget and the number of the version are the hook's to check."""
        serve(aws, scan_handler_of(engine), version="6")
        found = failed(before(aws, environ | {"RAXE_HOOK_LATENCY_MS": "0.001"}))
        assert found.keys() == {"version", "latency"}
        assert found["version"] == "6 for 7"

    @pytest.mark.parametrize(
        ("answer", "detail"),
        [
            (ZeroDivisionError("a text"), "FunctionRaised: the function ended with Unhandled"),
            ({"statusCode": 500, "body": "{}"}, "FunctionRaised: status 500 for a scan"),
            ({"statusCode": 200, "body": "{}"}, "FunctionRaised: the answer is not that of a scan: KeyError"),
            ([], "FunctionRaised: the function did not return an object"),
            (b"no json", "FunctionRaised: the function returned something that is not JSON"),
        ],
    )
    def test_a_broken_version_is_a_failure_and_no_error(
        self, aws: FakeAws, environ: dict[str, str], answer: object, detail: str
    ) -> None:
        """A version that raises or answers nonsense is reported as failed, with the kind of what happened."""

        def handle(_: dict[str, Any]) -> object:
            if isinstance(answer, Exception):
                raise answer
            return answer

        aws.functions[VERSION] = (handle, "7")
        assert failed(before(aws, environ)) == {"checks": detail}

    @pytest.mark.parametrize(
        ("changed", "error"),
        [
            ({"RAXE_HOOK_VERSION": ""}, "InvalidSettings"),
            ({"RAXE_HOOK_VERSION": f"{ARN}scan:8"}, "ServiceFailed: lambda:Invoke: ResourceNotFoundException"),
            ({"RAXE_MODELS_DIR": "/nowhere"}, "ModelNotFound"),
            ({"RAXE_HOOK_LATENCY_MS": "soon"}, "ValueError"),
        ],
    )
    def test_whatever_goes_wrong_codedeploy_is_told(
        self, aws: FakeAws, environ: dict[str, str], changed: dict[str, str], error: str
    ) -> None:
        """A hook without settings, models or a function to call fails the deployment; it does not leave it hanging."""
        assert failed(before(aws, environ | changed))["checks"].startswith(error)

    def test_no_text_is_in_the_findings(self, aws: FakeAws, environ: dict[str, str], engine: Engine) -> None:
        """Findings name golden texts by number."""
        serve(aws, scan_handler_of(engine_with(engine, rules=FakeRules("a"))))
        said = "\n".join(before(aws, environ).lines)
        assert "FAIL golden benign texts: flagged: 0 block" in said
        assert not any(text in said for text in (*ATTACKS, *BENIGN))


class TestReport:
    """How CodeDeploy is told."""

    @pytest.mark.parametrize("event", [{}, {"DeploymentId": "d-1"}, {"DeploymentId": "", "x": 1}])
    def test_an_event_of_nobody_reports_nothing(self, aws: FakeAws, event: dict[str, Any]) -> None:
        """An event without both ids is an error that names the fields."""
        with pytest.raises(InvalidEvent, match="LifecycleEventHookExecutionId"):
            pre_traffic(event, {}, TIME_S)
        assert aws.reports == []

    def test_a_second_run_of_the_same_hook_changes_nothing(self, aws: FakeAws, environ: dict[str, str]) -> None:
        """Lambda may deliver an event twice: the first report stands, the second is no error."""
        before(aws, environ)
        before(aws, environ)

    def test_a_deployment_that_is_gone_is_an_error(self, aws: FakeAws, environ: dict[str, str]) -> None:
        """When CodeDeploy cannot be told, the function fails, and Lambda tries again."""
        aws.waiting.clear()
        with pytest.raises(ServiceFailed, match="DeploymentDoesNotExistException"):
            pre_traffic(EVENT, environ, TIME_S)


def test_the_hooks_leave_time_to_report(aws: FakeAws, environ: dict[str, str]) -> None:
    """Less time than one last call and the report need is no time: nothing is sent to the version."""
    calls: list[dict[str, Any]] = []
    aws.functions[VERSION] = (calls.append, "7")
    started = time.monotonic()
    assert not before(aws, environ, traffic._ANSWER_S - 1).succeeded
    assert calls == []
    assert time.monotonic() - started < 30


@pytest.mark.usefixtures("region")
def test_a_call_that_hangs_at_the_last_moment_leaves_time_to_report() -> None:
    """The slowest call to a function and the slowest report fit into what is kept free, and checks have as much."""
    clients = [LambdaFunction(VERSION)._client, CodeDeployHooks()._client]
    configs = [client.meta.config for client in clients]
    slowest_s = sum((each.connect_timeout + each.read_timeout) * each.retries["total_max_attempts"] for each in configs)
    between_tries_s = 6  # of botocore's standard mode: at most 2 ** tries seconds before each further try
    assert slowest_s + between_tries_s <= traffic._ANSWER_S
    functions = render().of_type("AWS::Lambda::Function")
    timeouts_s = {functions[name]["Timeout"] for name in ("PreTrafficFunction", "PostTrafficFunction")}
    assert min(timeouts_s) >= 2 * traffic._ANSWER_S
