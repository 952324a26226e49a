"""The API in memory is the described one: a test of it is a test of what the server's description says."""

import inspect

import kfp_server_api
import pytest
from kfp_server_api import models

from .api import OPERATIONS, Api, Refused, check, described_operations


def test_every_handler_is_an_operation_of_the_description():
    """A route that the description does not have cannot be served."""
    handlers = {name for name, _ in inspect.getmembers(Api, inspect.isfunction) if not name.startswith("_")}
    assert handlers <= {operation.name for operation in OPERATIONS}


def test_the_description_is_read_whole():
    """Path, method, parameters by place, body and answer of each method of the generated client."""
    methods = [
        name
        for service in vars(kfp_server_api.api).values()
        for name, _ in inspect.getmembers(service, inspect.isfunction)
        if name.endswith("_with_http_info")
    ]
    assert sorted(f"{o.name}_with_http_info" for o in described_operations()) == sorted(methods)
    (upload,) = [o for o in OPERATIONS if o.name == "upload_pipeline_version"]
    assert (upload.method, upload.path) == ("POST", "/apis/v2beta1/pipelines/upload_version")
    assert upload.files == ("uploadfile",)
    assert upload.query["pipelineid"] == "str"
    (enable,) = [o for o in OPERATIONS if o.name == "recurring_run_service_enable_recurring_run"]
    assert enable.pattern.fullmatch("/apis/v2beta1/recurringruns/a-1:enable")["recurring_run_id"] == "a-1"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"display_name": "a", "colour": "red"}, 'unknown field "colour"'),
        ({"display_name": 1}, "invalid value for str field display_name"),
        ({"mode": "SLEEP"}, "invalid value for enum field mode"),
        ({"trigger": {"cron_schedule": {"when": "now"}}}, 'unknown field "when"'),
        ({"max_concurrency": True}, "max_concurrency"),
        ({"trigger": "daily"}, "unexpected token for V2beta1Trigger"),
        ({"runtime_config": {"parameters": []}}, "unexpected token for parameters"),
    ],
)
def test_a_body_that_is_not_as_described_is_refused(body, message):
    """Unknown fields and wrong types, at any depth, as the server's protobuf does."""
    with pytest.raises(Refused, match=message):
        check(body, "V2beta1RecurringRun")


def test_both_spellings_of_a_field_and_64_bit_integers_as_numbers_are_taken():
    """As protobuf reads JSON."""
    check({"displayName": "a", "max_concurrency": 1, "no_catchup": True, "mode": "ENABLE"}, "V2beta1RecurringRun")


def test_names_are_unique_and_lists_have_pages(server):
    """The server's rules hold over HTTP, with the generated client."""
    client, namespace = server.client, server.namespace
    made = [client.create_experiment(f"{server.prefix}-{i}", namespace=namespace) for i in range(3)]
    with pytest.raises(kfp_server_api.ApiException) as taken:
        body = models.V2beta1Experiment(display_name=f"{server.prefix}-1", namespace=namespace)
        client.experiments.experiment_service_create_experiment(experiment=body)
    assert taken.value.status == 409
    seen, token = [], ""
    while True:
        page = client.list_experiments(page_size=2, page_token=token, namespace=namespace)
        seen += [e.experiment_id for e in page.experiments]
        if not (token := page.next_page_token):
            break
    assert {e.experiment_id for e in made} <= set(seen)
    with pytest.raises(kfp_server_api.ApiException) as lost:
        client.get_run("00000000-0000-0000-0000-000000000000")
    assert lost.value.status == 404
