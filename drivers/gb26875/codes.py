"""The code tables of GB/T 26875.3-2011 as data: systems, parts, analog values, states, deeds. Pure.

There are no codes for arc detectors, manhole covers or charging piles, no ppm, and 0.1 A cannot carry a
residual current: OUR_PARTS and OUR_ANALOGS are what Tocsin sends instead, from the user's range. Every
centre decides its own, so both can be replaced.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Name(NamedTuple):
    """What people read."""

    zh: str
    en: str


class Analog(NamedTuple):
    """One kind of analog value: value = raw * scale."""

    zh: str
    en: str
    unit: str
    decimals: int


_SYSTEMS = """0 通用|general
1 火灾报警系统|fire alarm system
10 消防联动控制器|linkage controller
11 消火栓系统|hydrant system
12 自动喷水灭火系统|sprinkler system
13 气体灭火系统|gas extinguishing system
14 水喷雾灭火系统（泵启动方式）|water spray system (pump)
15 水喷雾灭火系统（压力容器启动方式）|water spray system (pressure vessel)
16 泡沫灭火系统|foam system
17 干粉灭火系统|dry powder system
18 防烟排烟系统|smoke control system
19 防火门及卷帘系统|fire doors and shutters
20 消防电梯|fire lift
21 消防应急广播|emergency broadcast
22 消防应急照明和疏散指示系统|emergency lighting
23 消防电源|fire power supply
24 消防电话|fire telephone"""
_PARTS = """0 通用|general
1 火灾报警控制器|fire alarm controller
10 可燃气体探测器|combustible gas detector
11 点型可燃气体探测器|point gas detector
12 独立式可燃气体探测器|stand-alone gas detector
13 线型可燃气体探测器|line gas detector
16 电气火灾监控报警器|electrical fire monitor
17 剩余电流式电气火灾监控探测器|residual current detector
18 测温式电气火灾监控探测器|temperature electrical fire detector
21 探测回路|detection loop
22 火灾显示盘|display panel
23 手动火灾报警按钮|manual call point
24 消火栓按钮|hydrant button
25 火灾探测器|fire detector
30 感温火灾探测器|heat detector
31 点型感温火灾探测器|point heat detector
32 点型感温火灾探测器（S型）|point heat detector S
33 点型感温火灾探测器（R型）|point heat detector R
34 线型感温火灾探测器|line heat detector
35 线型感温火灾探测器（S型）|line heat detector S
36 线型感温火灾探测器（R型）|line heat detector R
37 光纤感温火灾探测器|fibre heat detector
40 感烟火灾探测器|smoke detector
41 点型离子感烟火灾探测器|ionisation smoke detector
42 点型光电感烟火灾探测器|photoelectric smoke detector
43 线型光束感烟火灾探测器|beam smoke detector
44 吸气式感烟火灾探测器|aspirating smoke detector
50 复合式火灾探测器|combined detector
51 复合式感烟感温火灾探测器|combined smoke and heat detector
52 复合式感光感温火灾探测器|combined flame and heat detector
53 复合式感光感烟火灾探测器|combined flame and smoke detector
61 紫外火焰探测器|ultraviolet flame detector
62 红外火焰探测器|infrared flame detector
69 感光火灾探测器|flame detector
74 气体探测器|gas detector
78 图像摄像方式火灾探测器|video fire detector
79 感声火灾探测器|acoustic fire detector
81 气体灭火控制器|gas extinguishing controller
82 消防电气控制装置|fire electrical control device
83 消防控制室图形显示装置|control room display
84 模块|module
85 输入模块|input module
86 输出模块|output module
87 输入/输出模块|input and output module
88 中继模块|repeater
91 消防水泵|fire pump
92 消防水箱|fire water tank
95 喷淋泵|sprinkler pump
96 水流指示器|flow indicator
97 信号阀|signal valve
98 报警阀|alarm valve
99 压力开关|pressure switch
101 阀驱动装置|valve actuator
102 防火门|fire door
103 防火阀|fire damper
104 通风空调|ventilation
105 泡沫液泵|foam pump
106 管网电磁阀|pipe solenoid valve
111 防烟排烟风机|smoke fan
113 排烟防火阀|smoke exhaust damper
114 常闭送风口|supply vent
115 排烟口|exhaust vent
116 电控挡烟垂壁|smoke curtain
117 防火卷帘控制器|shutter controller
118 防火门监控器|fire door monitor
121 警报装置|sounder"""


def _table(text: str) -> dict[int, Name]:
    rows = (line.split(" ", 1) for line in text.splitlines())
    return {int(code): Name(*words.split("|")) for code, words in rows}


SYSTEMS: Final = _table(_SYSTEMS)
"""Table 4."""
PARTS: Final = _table(_PARTS)
"""Table 5."""
ANALOGS: Final[dict[int, Analog]] = {
    1: Analog("事件计数", "event count", "", 0),
    2: Analog("高度", "height", "m", 2),
    3: Analog("温度", "temperature", "°C", 1),
    4: Analog("压力", "pressure", "MPa", 1),
    5: Analog("压力", "pressure", "kPa", 1),
    6: Analog("气体浓度", "gas concentration", "%LEL", 1),
    7: Analog("时间", "time", "s", 0),
    8: Analog("电压", "voltage", "V", 1),
    9: Analog("电流", "current", "A", 1),
    10: Analog("流量", "flow", "L/s", 1),
    11: Analog("风量", "air volume", "m³/min", 1),
    12: Analog("风速", "air speed", "m/s", 0),
}
"""Table 6: signed numbers of 16 bits."""
OUR_ANALOGS: Final[dict[int, Analog]] = {
    128: Analog("剩余电流", "residual current", "mA", 0),
    129: Analog("一氧化碳浓度", "carbon monoxide", "ppm", 0),
    130: Analog("倾角", "tilt", "°", 1),
    131: Analog("电池电量", "battery", "%", 0),
}
OUR_PARTS: Final[dict[int, Name]] = {
    128: Name("故障电弧探测器", "arc detector"),
    129: Name("智能井盖", "manhole cover"),
    130: Name("电动自行车充电桩", "e-bike charging pile"),
}
_COMMON: Final = ("normal", "fire", "fault", "shielded", "supervisory", "started", "feedback", "delay")
PART_STATES: Final = (*_COMMON, "power_fault")
SYSTEM_STATES: Final = (
    *_COMMON,
    "mains_fault",
    "battery_fault",
    "bus_fault",
    "manual_mode",
    "configuration_changed",
    "reset",
)
UNIT_STATES: Final = (
    "normal",
    "fire",
    "fault",
    "mains_fault",
    "battery_fault",
    "channel_fault",
    "line_fault",
)
"""Of the user information transmission device itself (type 21)."""
STATES: Final = {1: SYSTEM_STATES, 2: PART_STATES, 21: UNIT_STATES}
"""Words of the bits, lowest first, by type of the unit."""
_DEEDS: Final = ("reset", "silence", "manual_alarm", "alarm_cleared", "self_test")
DEEDS: Final = {4: (*_DEEDS, "confirm", "test"), 24: (*_DEEDS, "duty_answer", "test")}
WORDS: Final[dict[str, Name]] = {
    "normal": Name("正常", "normal"),
    "test": Name("测试", "test"),
    "fire": Name("火警", "fire"),
    "fault": Name("故障", "fault"),
    "shielded": Name("屏蔽", "shielded"),
    "supervisory": Name("监管", "supervisory"),
    "started": Name("启动", "started"),
    "feedback": Name("反馈", "feedback"),
    "delay": Name("延时", "delay"),
    "power_fault": Name("电源故障", "power fault"),
    "mains_fault": Name("主电故障", "mains fault"),
    "battery_fault": Name("备电故障", "battery fault"),
    "bus_fault": Name("总线故障", "bus fault"),
    "manual_mode": Name("手动状态", "manual mode"),
    "configuration_changed": Name("配置改变", "configuration changed"),
    "reset": Name("复位", "reset"),
    "channel_fault": Name("与监控中心通信信道故障", "channel to the centre faulty"),
    "line_fault": Name("监测连接线路故障", "monitored line faulty"),
    "silence": Name("消音", "silenced"),
    "manual_alarm": Name("手动报警", "manual alarm"),
    "alarm_cleared": Name("警情消除", "alarm cleared"),
    "self_test": Name("自检", "self-test"),
    "confirm": Name("确认", "confirmed"),
    "duty_answer": Name("查岗应答", "duty check answered"),
}


def state_words(kind: int, state: int) -> list[str]:
    """Return the words of a state; `kind` is the type of the unit (1, 2 or 21).

    Bit 0 says normal operation (1) or test (0). The field sends fires with bit 0 clear, so "test" is said
    only where nothing else is: no word stands beside a fire that could make somebody ignore it.
    """
    return _words(STATES[kind], state) or (["test"] if not state & 1 else [])


def state_of(kind: int, words: list[str]) -> int:
    """Return the bits of a state. Raises ValueError for a word the type does not have."""
    return sum(1 << STATES[kind].index(word) for word in set(words) - {"test"})


def deed_words(kind: int, flags: int) -> list[str]:
    """Return what was done; `kind` is the type of the unit (4 or 24)."""
    return _words(DEEDS[kind], flags)


def _words(words: tuple[str, ...], bits: int) -> list[str]:
    unknown = [f"bit_{bit}" for bit in range(len(words), bits.bit_length()) if bits >> bit & 1]
    return [word for bit, word in enumerate(words) if bits >> bit & 1] + unknown
