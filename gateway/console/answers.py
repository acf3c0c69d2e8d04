"""What becomes of an order, as HTTP and in words: one place for the local API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.console.asked import refusal
from gateway.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.exceptions import HTTPException

    from gateway.model import Answer

STATUS = {
    Outcome.DONE: 200,
    Outcome.CONFLICT: 409,
    Outcome.UNKNOWN: 404,
    Outcome.REFUSED: 403,
    Outcome.EXPIRED: 409,
    Outcome.FAILED: 502,
}
OUTCOMES = {
    Outcome.DONE: "已执行",
    Outcome.CONFLICT: "有冲突",
    Outcome.UNKNOWN: "不存在",
    Outcome.REFUSED: "拒绝",
    Outcome.EXPIRED: "已过期",
    Outcome.FAILED: "失败",
}
FACTS = {
    "by": "联锁",
    "detail": "详情",
    "most": "最长",
    "request": "申请",
    "samples": "样本",
    "spread": "离散",
    "value": "读回",
    "wait": "还需等待",
}
REASONS = {
    "gone": ("该告警已不存在", "this alarm is gone"),
    "stale": ("看过之后又触发了", "it has come again since you looked"),
    "no_such_alarm": ("没有这个告警", "there is no such alarm"),
    "role": ("您的角色无此权限", "your role does not allow it"),
    "comment": ("必须说明原因（-m）", "a comment is required (-m)"),
    "reason": ("必须说明原因（-m）", "a reason is required (-m)"),
    "duration": ("时长超出允许范围", "not for so long"),
    "protected": (
        "生命安全告警不得搁置；只能经批准停用",
        "a protected alarm is never shelved, only disabled",
    ),
    "at_site": ("须在现场操作", "only at the site"),
    "second_person": ("须由消防负责人批准", "a fire officer must approve it"),
    "same_person": ("申请人与批准人不得为同一人", "one person is not two"),
    "still_active": ("条件仍成立", "the condition still holds"),
    "input_bad": ("输入不可信", "its input cannot be believed"),
    "ack_first": ("请先确认", "acknowledge it first"),
    "not_latched": ("未锁存，无需复位", "it is not latched"),
    "not_shelved": ("未搁置", "it is not shelved"),
    "in_service": ("未停用", "it is in service"),
    "no_drill": ("没有进行中的演练", "no drill is going on"),
    "drill_running": ("已有演练在进行", "a drill is going on already"),
    "empty_scope": ("范围内没有设备", "there is no device in this scope"),
    "no_request": ("没有这个申请，或已过期", "there is no such request, or it has run out"),
    "no_tilt": ("该设备没有倾角规则", "this device has no rule about its angle"),
    "few_samples": ("静止样本不足", "too few still samples"),
    "moving": ("传感器在动", "the sensor is moving"),
    "not_the_audit": ("与审计不符", "this is not what the audit says"),
    "interlocked": ("联锁不允许", "an interlock stands against it: its alarm must be over, and reset"),
    "too_often": ("写入过于频繁", "written too often"),
    "person_only": ("该值只能由人下令", "only a person may order it"),
    "not_reading": ("没有新读数", "no fresh readings"),
}


def done(answer: Answer) -> Answer:
    """Return the answer of an order that was done; raise what refuses it."""
    if answer.outcome is not Outcome.DONE:
        raise denial(answer.reason, answer.outcome, answer.data)
    return answer


def denial(reason: str, outcome: Outcome, data: Mapping[str, object] | None = None) -> HTTPException:
    """Return the refusal of an order, in both languages and for machines."""
    zh, en = REASONS.get(reason, (reason, reason))
    facts = (data or {}).items()
    more_zh = "".join(f"；{FACTS.get(name, name)}：{value}" for name, value in facts)
    more_en = "".join(f"; {name}: {value}" for name, value in facts)
    words = {"outcome": outcome.value, "reason": reason}
    return refusal(
        STATUS[outcome], f"{OUTCOMES[outcome]}：{zh}{more_zh}", f"{outcome}: {en}{more_en}", **words
    )
