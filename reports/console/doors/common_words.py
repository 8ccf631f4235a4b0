"""Words that guessers try first, in letters only; digits and signs around them help little."""

from typing import Final

COMMON: Final = frozenset(
    """
    password passwort passw passwd passphrase letmein welcome willkommen changeme default secret
    administrator admin adminadmin rootroot root superuser supervisor manager operator engineer
    qwerty qwertyuiop qwertz qwertyui asdfghjkl asdfgh zxcvbnm qazwsx qazwsxedc qweasd qweasdzxc
    iloveyou iloveyouforever monkey dragon sunshine princess football baseball superman batman
    trustno master shadow michael jordan hunter killer pepper ginger summer winter spring autumn
    abcdefgh abcdefghij abcdefghijkl abcdabcd abcd aaaa test testtest testing temp temporary guest
    login logmein hello helloworld computer internet server service system database public private
    smelter aluminium aluminum console plant factory officer viewer environment carbon gateway
    woaini woainima woaini wodemima mima mimamima zhongguo nihao nihaoma beijing shanghai henan
    shandong zhengzhou dianjie dianjielv lvye lvchang huanbao huanbaoju guanliyuan gongchengshi
    caonima baobao qinaide haohaoxuexi tiantianxiangshang 管理员 密码 我的密码 我爱你 中国
    """.split()  # noqa: SIM905 - words
)
