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
    assert {(n["person"], n["kind"], n["receipt"]) for n in found["notices"]} == {
        ("community_duty", "raise", "queued"),
        ("micro_station", "raise", "queued"),
    }
    assert found["waiting"] == 2
    assert not found["flood"]
    assert found["notices"][0]["title"] == {"zh": "1号楼 甲烷 40%LEL", "en": "1号楼: methane 40 %LEL"}
