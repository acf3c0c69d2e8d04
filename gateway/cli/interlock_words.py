"""Interlocks in words: what each will do (`tocsin check`), and what it has done (`status`, `alarms show`)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from gateway.cli.output import ago
from gateway.language import say
from rules.interlock import OnStop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.config import Site
    from rules.interlock import Interlock

STATES = {
    "idle": ("待命", "idle"),
    "waiting": ("延时中", "waiting"),
    "acting": ("执行中，未证实", "acting, not proven"),
    "acted": ("已动作", "acted"),
    "releasing": ("恢复中", "going back"),
    "failed": ("！未完成", "! FAILED"),
}


def plan(site: Site) -> Iterator[str]:
    """Yield what each interlock of a site will do, and what its output does when the gateway cannot."""
    for interlock in site.interlocks:
        yield say(f"联锁 {interlock.name}：{_zh(interlock)}", f"interlock {interlock.name}: {_en(interlock)}")
        yield "  " + _fail_state(interlock)


def as_json(site: Site) -> list[dict[str, Any]]:
    """Return the same for programs."""
    return [
        {
            "name": i.name,
            "when": ["/".join(key) for key in i.when],
            "device": i.order.device,
            "point": i.order.point,
            "value": i.order.value,
            "delay": i.delay,
            "release": None if i.release is None else {"value": i.release.value, "after": i.release.after},
            "on_stop": i.on_stop.value,
            "hardware": i.hardware,
            "hold": i.hold,
            "drill": i.drill,
        }
        for i in site.interlocks
    ]


def length(seconds: float) -> str:
    """Return a time as an operator would write it."""
    whole = seconds % 60 == 0 and seconds >= 60
    return f"{seconds / 60:g} min" if whole else f"{seconds:g} s"


def _named(interlock: Interlock) -> str:
    names = ["/".join(key) for key in interlock.when]
    return ", ".join(names[:3]) + (f" ... ({len(names)})" if len(names) > 3 else "")


def _zh(interlock: Interlock) -> str:
    order, back = interlock.order, interlock.release
    level = f"（{interlock.level} 级及以上）" if interlock.level else ""
    delay = f"持续 {length(interlock.delay)} 后" if interlock.delay else "立即"
    then = (
        f"全部解除 {length(back.after)} 后恢复为 {back.value}（每小时最多 {interlock.per_hour} 次）"
        if back is not None
        else "不自动恢复，只能由人下令"
    )
    drill = "；演练也动作" if interlock.drill else ""
    return f"{_named(interlock)}{level} {delay}令 {order.device}.{order.point} = {order.value}；{then}{drill}"


def _en(interlock: Interlock) -> str:
    order, back = interlock.order, interlock.release
    level = f" (level {interlock.level} or graver)" if interlock.level else ""
    delay = f"after {length(interlock.delay)}" if interlock.delay else "at once"
    then = (
        f"{back.value} again {length(back.after)} after it is over, at most {interlock.per_hour} an hour"
        if back is not None
        else "never back by itself: only a person"
    )
    drill = "; drills move it, too" if interlock.drill else ""
    target = f"{order.device}.{order.point} = {order.value}"
    return f"{_named(interlock)}{level}: {target} {delay}; {then}{drill}"


def _fail_state(interlock: Interlock) -> str:
    back = interlock.release
    stays = say("保持原状", "stays as it is")
    goes = {
        OnStop.HOLD: stays,
        OnStop.ACT: interlock.order.value,
        OnStop.RELEASE: back.value if back else stays,
    }
    stop = say("网关停机时：", "when the gateway stops: ") + str(goes[interlock.on_stop])
    unsaid = say(
        "未说明（hardware），取决于继电器自身", "not said (hardware): whatever the relay does by itself"
    )
    line = say("线路或电源中断、网关崩溃时", "when line or power is lost, or the gateway is killed")
    return f"{stop}; {line}: {interlock.hardware or unsaid}"


def standing(shown: dict[str, Any]) -> str:
    """Return how an interlock stands."""
    words = f"{shown['name']} {say(*STATES[shown['state']])}  {_target(shown)}"
    if shown["causes"]:
        words += f"  ← {', '.join(shown['causes'][:3])}"
    if shown["errand"] is not None and shown["errand"]["tries"]:
        tries, why = shown["errand"]["tries"], shown["errand"]["why"]
        words += say(f"  第 {tries} 次：{why}", f"  try {tries}: {why}")
    if (last := shown["last"]) is not None:
        words += f"  {_last(last)}"
    if shown["held_back"]:
        words += say("  恢复次数已达上限，请人工处理", "  put back too often: a person must look")
    return words


def _target(shown: dict[str, Any]) -> str:
    """Return what is ordered; of an idle one what would be: it says nothing of how the output is now."""
    target, value = f"{shown['device']}.{shown['point']}", shown["value"]
    if shown["state"] == "idle":
        return say(f"{target} 动作时 → {value}", f"{target} → {value} when it acts")
    return f"{target} = {value}"


def _last(last: dict[str, Any]) -> str:
    age = ago(max(0.0, time.time() - last["at"] / 1e9))
    proven = say("当时已证实", "proven then") if last["proven"] else say("未证实", "NOT proven")
    value = last["value"]
    return say(f"上次 {age} 前令其 {value}（{proven}）", f"last ordered {value} {age} ago ({proven})")
