"""What of the source's metadata is ours to send?"""

from __future__ import annotations

from metadata.objects import ids, program
from tracker_sync.metadata.portion import cut, without_messages
from tracker_sync.metadata.references import Reference, references


def test_assignments_outside_the_route_are_not_ours() -> None:
    whole = program(organisationUnits=ids("hhZqjkb21gq", "elsewhere01"))

    kept = cut(whole, frozenset({"hhZqjkb21gq"}), {})

    assert kept["organisationUnits"] == ids("hhZqjkb21gq")
    assert kept["name"] == whole["name"]


def test_default_objects_get_the_uid_they_have_at_the_destination() -> None:
    whole = program(categoryCombo={"id": "bjDvmb4bfuf"})

    kept = cut(whole, frozenset(), {"bjDvmb4bfuf": "theirCombo1"})

    assert kept["categoryCombo"] == {"id": "theirCombo1"}


def test_people_and_messages_are_not_ours() -> None:
    whole = program(notificationTemplates=ids("template001"), userRoles=ids("role0000001"))

    kept = cut(whole, frozenset(), {})

    assert {"notificationTemplates", "userRoles"} <= whole.keys()
    assert not {"notificationTemplates", "userRoles"} & kept.keys()


def test_rule_actions_that_send_messages_stay_behind() -> None:
    kinds = {"warning0001": "SHOWWARNING", "message0001": "SENDMESSAGE"}
    actions = {uid: {"id": uid, "programRuleActionType": kind} for uid, kind in kinds.items()}
    rules = {"dloYswGH55a": {"id": "dloYswGH55a", "programRuleActions": ids(*kinds)}}

    kept = without_messages({"programRules": rules, "programRuleActions": actions})

    assert list(kept["programRuleActions"]) == ["warning0001"]
    assert kept["programRules"]["dloYswGH55a"]["programRuleActions"] == ids("warning0001")


def test_every_reference_is_found_however_deep() -> None:
    objects = {"programs": {"xsd8pFBm2w1": program(organisationUnits=ids("hhZqjkb21gq"))}}

    found = set(references(objects))

    deep = Reference(
        "programs",
        "xsd8pFBm2w1",
        "trackedEntityAttribute",
        ("trackedEntityAttributes", "XlaUz6AYQa9"),
    )
    assert deep in found
    assert {reference.to[0] for reference in found} == {
        "organisationUnits",
        "programs",
        "trackedEntityAttributes",
        "trackedEntityTypes",
    }
