"""What does the data have to know?"""

from __future__ import annotations

import pytest

from metadata.objects import ids, option_set, program
from tracker_sync.metadata.classes import Objects
from tracker_sync.metadata.model import Model, OrgUnit
from tracker_sync.metadata.modelling import model_of


def objects(**others: object) -> Objects:
    return {
        "programs": {"xsd8pFBm2w1": program()},
        "trackedEntityTypes": {
            "Xzm8JdvcK5r": {
                "id": "Xzm8JdvcK5r",
                "trackedEntityTypeAttributes": [
                    {"trackedEntityAttribute": {"id": "igrbHRNTbIn"}},
                    {"trackedEntityAttribute": {"id": "zzlC4ArMYGX"}},
                ],
            }
        },
        "trackedEntityAttributes": {
            "igrbHRNTbIn": {
                "id": "igrbHRNTbIn",
                "confidential": False,
                "valueType": "TEXT",
                "optionSet": {"id": "AcCtZkAvAsC"},
            },
            "zzlC4ArMYGX": {"id": "zzlC4ArMYGX", "confidential": True},
        },
        "programStages": {
            "nYjAPItoxo2": {
                "id": "nYjAPItoxo2",
                "programStageDataElements": [{"dataElement": {"id": "ol1WpmrN6NG"}}],
            }
        },
        "organisationUnits": {
            "GwTj6qZdrlX": {"id": "GwTj6qZdrlX", "name": "Sénégal", "path": "/GwTj6qZdrlX"}
        },
        "optionSets": {"AcCtZkAvAsC": option_set(**others)},
    }


def test_a_model_says_what_belongs_where() -> None:
    ours = objects()

    model = model_of(ours, ours)

    assert model.tracked_entity_types == {"xsd8pFBm2w1": "Xzm8JdvcK5r"}
    assert model.program_attributes == {"xsd8pFBm2w1": {"XlaUz6AYQa9", "igrbHRNTbIn"}}
    assert model.stage_elements == {"nYjAPItoxo2": {"ol1WpmrN6NG"}}
    assert model.value_types == {"igrbHRNTbIn": "TEXT"}
    assert model.option_sets == {"igrbHRNTbIn": "AcCtZkAvAsC"}
    assert model.org_units == {"GwTj6qZdrlX": OrgUnit("Sénégal", "/GwTj6qZdrlX")}


def test_a_confidential_attribute_is_left_out() -> None:
    ours = objects()

    model = model_of(ours, ours)

    assert model.type_attributes == {"Xzm8JdvcK5r": {"igrbHRNTbIn"}}


def test_a_model_says_which_values_name_a_file() -> None:
    ours = objects()
    attributes, elements = ours["trackedEntityAttributes"], {"g61vVO04sV8": {"id": "g61vVO04sV8"}}
    attributes["igrbHRNTbIn"]["valueType"] = "IMAGE"
    attributes["zzlC4ArMYGX"]["valueType"] = "TEXT"
    elements["g61vVO04sV8"]["valueType"] = "FILE_RESOURCE"

    model = model_of({**ours, "dataElements": elements}, ours)

    assert model.files == {"igrbHRNTbIn": "IMAGE", "g61vVO04sV8": "FILE_RESOURCE"}
    assert Model.from_json(model.to_json()) == model


def test_a_model_survives_its_journey_as_text() -> None:
    model = model_of(objects(), objects())

    read = Model.from_json(model.to_json())

    assert read == model
    assert read.to_json() == model.to_json()


def test_an_option_more_at_either_side_makes_another_hash() -> None:
    before, after = objects(), objects(options=ids("FGYUJQ5e1rA", "new"))

    hashes = {
        model_of(*sides).hash for sides in [(before, before), (after, before), (before, after)]
    }

    assert len(hashes) == 3


def test_a_model_says_which_values_one_person_alone_may_have() -> None:
    ours, theirs = objects(), objects()
    ours["trackedEntityAttributes"]["igrbHRNTbIn"]["unique"] = True
    theirs["trackedEntityAttributes"]["zzlC4ArMYGX"] |= {"unique": True, "orgunitScope": True}

    model = model_of(ours, theirs)

    assert model.unique == {"igrbHRNTbIn": False, "zzlC4ArMYGX": True}
    assert Model.from_json(model.to_json()) == model


@pytest.mark.parametrize(
    ("source", "destination", "ignores"),
    [(False, True, False), (True, False, True), (False, None, True), (None, None, False)],
)
def test_a_model_says_in_which_stages_the_destination_ignores_an_assigned_user(
    *, source: bool | None, destination: bool | None, ignores: bool
) -> None:
    ours, theirs = objects(), objects()
    (stage,) = ours["programStages"]
    ours["programStages"][stage]["enableUserAssignment"] = source
    theirs["programStages"][stage]["enableUserAssignment"] = destination
    if destination is None:
        theirs = {**theirs, "programStages": {}}

    model = model_of(ours, theirs)

    assert (stage in model.no_assignee) is ignores
    assert Model.from_json(model.to_json()) == model
