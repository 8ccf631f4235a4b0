"""A message in words: title and text, grouped by topic, in the recipient's language."""

from collections.abc import Sequence
from dataclasses import dataclass

from reports.console.notices.book import Message
from reports.console.notices.matters import TOPICS, Matter
from reports.site_notices import Told
from reports.values import Text


@dataclass(frozen=True, slots=True)
class Letter:
    """What is sent, whatever the way."""

    id: str
    title: str
    text: str
    matters: tuple[Matter, ...]


def letter(message: Message, to: Told, plant: Text, address: str) -> Letter:
    """``address``: of the console as browsers call it, "" when unknown."""
    languages = ("zh", "en") if to.lang == "both" else (to.lang,)
    titles = [_title(message.matters, plant, lang) for lang in languages]
    bodies = [_body(message, lang, address) for lang in languages]
    return Letter(message.id, " · ".join(titles), "\n\n".join(bodies), tuple(message.matters))


def trial(to: Told, plant: Text, identity: str) -> Letter:
    """What the button and ``smelter notices test`` send."""
    zh = f"这是一条测试通知，发给“{to.name}”。收到即表示通道正常，不需处理。"
    en = f'This is a trial notice to "{to.name}". Nothing is to be done.'
    texts = {"zh": zh, "en": en, "both": f"{zh}\n\n{en}"}
    titles = {"zh": f"【{plant.zh}】测试通知", "en": f"[{plant.en}] trial notice"}
    titles["both"] = f"{titles['zh']} · {titles['en']}"
    return Letter(identity, titles[to.lang], texts[to.lang], ())


def _title(matters: Sequence[Matter], plant: Text, lang: str) -> str:
    counts: dict[str, int] = {}
    for topic in TOPICS:
        if count := sum(each.topic == topic for each in matters):
            counts[TOPICS[topic].of(lang)] = count
    if lang == "zh":
        return f"【{plant.zh}】" + "、".join(f"{name} {n} 项" for name, n in counts.items())
    return f"[{plant.en}] " + ", ".join(f"{name.lower()}: {n}" for name, n in counts.items())


def _body(message: Message, lang: str, address: str) -> str:
    parts = []
    for topic, name in TOPICS.items():
        mine = [each for each in message.matters if each.topic == topic]
        if mine:
            lines = [f"- {each.zh if lang == 'zh' else each.en}" for each in mine]
            parts.append("\n".join([name.of(lang), *lines]))
    if message.left_out:
        n = message.left_out
        parts.append(f"另有 {n} 项较早的未列出" if lang == "zh" else f"{n} earlier ones left out")
    if address:
        parts.append(f"{'查看' if lang == 'zh' else 'See'}: {address}")
    return "\n\n".join(parts)
