"""What the first sheet of the template says, in both languages."""

from typing import Final

from reports.values import Text

TITLE: Final = Text(zh="填报说明", en="How to fill this in")
NOTES_TEXT: Final = (
    Text(
        zh="每行一个数据，只填白色单元格；表头、项目、工序、品种请勿改动。",
        en="One fact per row. Fill in the white cells; leave header, kind, line and item alone.",
    ),
    Text(
        zh="没有数据的行留空：空白不等于零，导入时会列出未填的行。",
        en="Leave a row without data empty: empty is not zero; the import lists such rows.",
    ),
    Text(
        zh="期间：月份 2026-10，日期 2026-10-05，年份 2026。"
        "铝液产量可按日填：删去整月一行，每日一行。",
        en="Period: month 2026-10, day 2026-10-05, year 2026. Tapped metal may be entered by day: "
        "delete the row of the month and write one row per day.",
    ),
    Text(
        zh="单位：从列表选择；数值按所选单位填写，程序不猜测单位。",
        en="Unit: choose from the list and write the value in it; no unit is ever guessed.",
    ),
    Text(
        zh="化验数据须填样品编号、检测方法、检测机构、资质编号（CMA/CNAS）和检测日期。",
        en="Laboratory results need sample, method, laboratory, accreditation and date of test.",
    ),
    Text(
        zh="计量器具：期间填检定/校准日期，数值填误差（%，可为负），并填有效期、机构和证书编号。",
        en="Instruments: the period is the day of calibration, the value is the error found (%, "
        "may be negative); valid until, body and certificate are needed.",
    ),
    Text(
        zh="凭证文件：与本表放在同一文件夹的扫描件文件名；导入时记录 SHA-256 并复制保存。",
        en="Document: name of a scan beside this table; its SHA-256 is recorded and it is kept.",
    ),
    Text(
        zh="灰色“已录入”一列是台账中已有的数值，仅供参考，不会被读取。",
        en="The grey column shows what the ledger holds already; it is never read.",
    ),
    Text(
        zh="导入：在网页「碳排放」该月的「录入数据」上传；或用命令 "
        "smelter entries import 本文件 --site site.toml --author 姓名 --reason 理由；"
        "先显示变化再确认，有一处错误则全部不导入。",
        en="Import: upload it in the console (Carbon, the month, Enter figures), or with the "
        "command smelter entries import FILE --site site.toml --author NAME --reason WHY; it shows "
        "what changes first; one mistake and nothing is imported.",
    ),
)
