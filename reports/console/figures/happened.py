"""Kinds of events in the words of the people who read them."""

from typing import Final

from drivers.language import say

NAMES: Final = {
    "gap": ("数据缺口", "gap in the data"),
    "device_lost": ("设备失联", "device lost"),
    "rollover": ("计数器翻转", "counter rolled over"),
    "reset": ("计数器清零", "counter was reset"),
    "replacement": ("表计更换", "meter replaced"),
    "overload": ("采集过载", "polling overloaded"),
    "clock_step": ("时钟跳变", "clock stepped"),
    "clock_unsynced": ("时钟未同步", "clock not kept"),
    "retimed": ("时间已更正", "times corrected"),
    "device_clock": ("设备时钟异常", "device's clock is off"),
    "config_change": ("配置变更", "config changed"),
    "log_full": ("本地存储已满", "log full"),
    "log_filling": ("本地存储将满", "log filling up"),
    "pruned": ("到期数据已清理", "old batches pruned"),
    "dropped": ("采样被丢弃", "samples dropped"),
    "conflict": ("批次冲突", "batches contradict"),
    "start": ("启动", "started"),
    "stop": ("停止", "stopped"),
    "anode_effect": ("阳极效应", "anode effect"),
    "anode_effect_warning": ("阳极效应预警", "anode effect ahead"),
    "unstable": ("槽况不稳", "pot unstable"),
    "fouling": ("换热器积灰", "exchanger fouled"),
    "pressure_drop": ("压降异常", "pressure drop"),
    "heat_balance": ("热平衡偏差", "heat balance is off"),
    "acid_dew": ("低温腐蚀风险", "below the acid dew point"),
    "bad_frame": ("报文无效", "bad packets"),
    "cems_gap": ("数采仪缺数", "data logger lacks data"),
    "exceedance_warning": ("超标预警", "exceedance ahead"),
    "exceedance": ("小时均值超标", "hourly mean above the limit"),
    "key_rotation": ("密钥更换", "signing key changed"),
    "fork": ("存证分叉", "evidence forked"),
    "checkpoint_refused": ("检查点被拒", "checkpoint refused"),
    "hash_stated": ("仅有网关声明的哈希", "hashes only stated"),
    "evidence_stopped": ("存证停止", "evidence stopped"),
    "receipt_refused": ("回执被拒", "receipt refused"),
    "peer_refused": ("对端被拒", "peer refused"),
    "certificate_expiring": ("证书将到期", "certificate ends soon"),
    "audit_stopped": ("审计停止", "audit stopped"),
}
ALARMS: Final = frozenset(
    {
        *("device_lost", "log_full", "anode_effect", "exceedance", "exceedance_warning"),
        *("acid_dew", "evidence_stopped", "fork", "peer_refused", "audit_stopped"),
    }
)


def event_name(kind: str) -> str:
    """In the caller's language; an unknown kind stays as it is."""
    known = NAMES.get(kind)
    return kind if known is None else say(*known)
