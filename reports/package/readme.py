"""README.txt of a package, in Chinese and English."""

from reports.model import Report
from reports.words import number_text

_TEXT = """证据包 / evidence package: {name}
{title_zh} / {title_en}
{plant_zh} / {plant_en}, {period}

中文
  本包含有报告、依据的录入台账与凭证、规则文本、原始批次记录及其 Merkle 证明。
  核验（Python 3.8 及以上，无需联网，无需安装）：
      python3 verify.py 本文件.zip --trusted-key 公钥 [--checkpoint 您保存的检查点]
  公钥须由包以外的途径取得（合同、函件、上次核查）；否则只能证明包自身前后一致。
  verify.py 也请从可信来源取得，或与 smelter verify 的结论对照。
  结论：未被改动（退出码 0）；已被改动，指明文件、行、批次、字节（1）；
        无法判断，或未给出已知公钥、无人担保（2）。
  不能证明：传感器读数本身真实；网关写入前的数据。

English
  In here: the report, entries and documents it stands on, rule texts, original batch records
  with Merkle proofs. To verify (Python 3.8 or later, no network, nothing to install):
      python3 verify.py THIS.zip --trusted-key KEY [--checkpoint ONE_YOU_KEPT]
  Get the keys by another way than in this package (contract, letter, last audit), or else only
  its agreement with itself is shown. Take verify.py from a source you trust as well.
  Verdict: intact (exit code 0); changed, naming file, line, batch, byte (1); cannot be judged,
  or no key that you knew was given (2).
  Not proven: that a sensor told the truth; what a gateway had not yet written.

签名公钥 / signed by: {vkey}
报告摘要 / content_sha256: {digest}

{lines}"""


def readme(report: Report, name: str, vkey: str) -> str:
    """What lies in the package, how to judge it, and the first figures of the report."""
    content = report.content
    lines = []
    for key in content.headline:
        line = content.line(key)
        value = number_text(line.rounded, line.decimals)
        lines.append(f"{line.label.zh} / {line.label.en}: {value} {line.unit}\n")
    return _TEXT.format(
        name=name,
        title_zh=content.title.zh,
        title_en=content.title.en,
        plant_zh=content.plant.name.zh,
        plant_en=content.plant.name.en,
        period=content.period.name,
        vkey=vkey,
        digest=report.content_sha256,
        lines="".join(lines),
    )
