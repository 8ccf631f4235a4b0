"""SM4: the block of GB/T 32907, and both examples of HJ 212-2025 Appendix A.2 byte for byte."""

import pytest

from drivers.hj212.encode import encode, packet
from drivers.hj212.frame import decode, decode_frame
from drivers.hj212.sm4 import WrongKeyError, decrypt_body, encrypt_body, must_encrypt

BLOCK = bytes.fromhex("0123456789abcdeffedcba9876543210")
KEY = b"0" * 16  # the standard: sixteen bytes 0x30
HEAD = b"QN=20240520210700000;ST=31;CN=2051;PW=123456;MN=010000A8900016F000169DC0;Flag=9;CP=&&"
WHOLE_BLOCKS = (
    b"DataTime=20240520210600;a01011-Min=1.35,a01011-Avg=1.35,a01011-Max=1.35,a01011-Flag=N;"
    b"a01012-Min=9.3,a01012-Avg=9.3,a01012-Max=9.3,a01012-Flag=N;"
    b"a01014-Min=3.20,a01014-Avg=3.211,a01014-Max=3.212,a01014-Flag=N"
)
WITH_TAIL = (
    b"DataTime=20240520210600;a01011-Min=1.35,a01011-Avg=1.35,a01011-Max=1.35,a01011-Flag=N;"
    b"a01014-Min=3.20,a01014-Avg=3.20,a01014-Max=3.20,a01014-Flag=N"
)
CIPHER_WHOLE = bytes.fromhex(
    "E43E159ACFAB242CB53155FB8B9281A1A242577ABFAED881BE88B72D69FC55ED1A80119FAAC8B3CD33D285CC76F5"
    "7F2CA7F88B9573C6647E0F07E24609BD6B63EB20C5B9784F28E71D2F4994FF61D9E1C2B3075592B4D1E09C4D8BB2"
    "7BE97B559E3DA6643781A6F477769DEEB009B10DFFF3426922725D607DC4480F0CAC5F70DB2587B124BCB2815927"
    "21D6E4BC180A97E5E111499CBE822E31C8D7761553543AA24207C290997BBDE64F9266BC5F529A172E381C1D898C"
    "A1A0D771A914A7B2D7467C70B94F1D4A7B0350A48DBF8B41"
)
CIPHER_TAIL = (
    bytes.fromhex(
        "E43E159ACFAB242CB53155FB8B9281A1A242577ABFAED881BE88B72D69FC55ED1A80119FAAC8B3CD33D285CC76F5"
        "7F2CA7F88B9573C6647E0F07E24609BD6B63EB20C5B9784F28E71D2F4994FF61D9E13B391A1D2A454B65388D5D94"
        "35DBF021528C7BF9755EF16518710C0CAC0ADEF9C5156CD0A5A17674AC0ED2ABC40023E9EF70128554B82438E91A"
        "DCE98A0D03A4"
    )
    + b"g=N"
)  # three bytes are no block and stay plain
EXAMPLES = [
    (WHOLE_BLOCKS, CIPHER_WHOLE, b"##0295", b"2200"),
    (WITH_TAIL, CIPHER_TAIL, b"##0234", b"B541"),
]


def test_the_block_of_the_algorithms_standard() -> None:
    assert encrypt_body(BLOCK, BLOCK).hex() == "681edf34d206965e86b3e94f536e4246"
    assert decrypt_body(encrypt_body(BLOCK, BLOCK), BLOCK) == BLOCK


@pytest.mark.parametrize(("plain", "cipher", "start", "total"), EXAMPLES)
def test_the_examples_of_the_standard(
    plain: bytes, cipher: bytes, start: bytes, total: bytes
) -> None:
    assert encrypt_body(plain, KEY) == cipher
    sent = start + HEAD + cipher + b"&&" + total + b"\r\n"
    frame = decode_frame(sent, key=KEY)
    assert frame.ok
    assert frame.clean
    assert frame.encrypted
    assert frame.plain == HEAD + plain + b"&&"
    assert encode(frame.segment, key=KEY) == sent
    assert encode(frame.segment) == start + HEAD + plain + b"&&" + total + b"\r\n"


@pytest.mark.parametrize(("plain", "cipher", "start", "total"), EXAMPLES)
def test_without_the_key_only_the_head_is_read(
    plain: bytes, cipher: bytes, start: bytes, total: bytes
) -> None:
    frame = decode_frame(start + HEAD + cipher + b"&&" + total + b"\r\n")
    assert not frame.ok
    assert [each.code for each in frame.defects] == ["encrypted"]
    assert frame.segment.cn == "2051"
    assert frame.segment.cp == ()
    assert frame.values == ()


def test_plain_packets_are_read_with_a_key_too() -> None:
    sent = b"##0295" + HEAD + WHOLE_BLOCKS + b"&&2200\r\n"
    frame = decode_frame(sent, key=KEY)
    assert frame.ok
    assert not frame.encrypted


def test_cipher_bytes_that_look_like_ends_cut_nothing() -> None:
    """A body whose cipher text holds && is looked for; the reader must not stop there."""
    for number in range(200_000):
        body = b"DataTime=20240520210600;a01011-Min=%d,a01011-Flag=N" % number
        cipher = encrypt_body(body, KEY)
        if b"&&" in cipher[:48]:
            break
    assert b"&&" in cipher
    sent = encode(decode_frame(_plain(body)).segment, key=KEY)
    assert cipher in sent
    frames = decode(b"x" + sent + sent, key=KEY)
    assert [frame.raw for frame in frames] == [sent, sent]
    assert all(frame.ok for frame in frames)


def _plain(body: bytes) -> bytes:
    return packet(HEAD + body + b"&&")


def test_a_key_has_sixteen_bytes() -> None:
    with pytest.raises(WrongKeyError):
        encrypt_body(BLOCK, b"short")


def test_which_commands_2025_wants_encrypted() -> None:
    assert all(must_encrypt(cn) for cn in ("2011", "2051", "2999", "1014", "3020"))
    assert not any(must_encrypt(cn) for cn in ("1011", "3011", "9014", "9015", "", "20"))
