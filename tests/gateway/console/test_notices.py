"""`/api/v1/notices`: what people are told, in a running gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING

from small_gateway import Running

if TYPE_CHECKING:
    from pathlib import Path


def test_an_alarm_is_a_notice_to_the_first_step_of_its_ladder(tmp_path: Path) -> None:
    with Running(tmp_path) as gateway:
        assert gateway.daemon.get("/notices")["notices"] == []
        gateway.play("box-1", "lel", 40)
        gateway.wait(gateway.alarm)
        found = gateway.daemon.get("/notices")
        assert gateway.daemon.get("/notices?alarm=box-1/lel-high") == found
        assert gateway.daemon.get("/notices?alarm=box-2/lel-high")["notices"] == []
        shown = gateway.daemon.get("/alarms/box-1/lel-high")
    assert shown["notices"] == found["notices"]
    way = shown["way_up"]
    assert (way["ladder"], way["step"], way["steps"], way["then"]) == (
        "orange",
        1,
        3,
        ["community_manager", "street"],
    )
    assert 170 < way["next"] <= 180
    assert way["people"] == {"community_duty": "sent", "micro_station": "sent"}
    assert {(n["person"], n["kind"], n["receipt"]) for n in found["notices"]} == {
        ("community_duty", "raise", "queued"),
        ("micro_station", "raise", "queued"),
    }
    assert found["waiting"] == 2
    assert not found["flood"]
    assert found["notices"][0]["title"] == {"zh": "1号楼 甲烷 40%LEL", "en": "1号楼: methane 40 %LEL"}
