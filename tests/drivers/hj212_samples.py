"""Packets for the tests of HJ 212: the standard's examples, and what devices really sent."""

from drivers.hj212.crc import crc16, crc_text

MN = "010000A8900016F000169DC0"
HEAD = f"QN=20160801085857223;ST=31;CN=2011;PW=123456;MN={MN};Flag=5;"
MINUTE = (
    "DataTime=20160801084000;a21026-Min=1.30,a21026-Avg=1.35,a21026-Max=1.40,a21026-ZsAvg=2.10,"
    "a21026-Flag=N;a01012-Min=91,a01012-Avg=92.5,a01012-Max=93.0,a01012-Flag=D"
)


def packet(segment: str | bytes, *, end: bytes = b"\r\n") -> bytes:
    """Right length and sum around any segment."""
    plain = segment.encode() if isinstance(segment, str) else segment
    return b"##%04d%b%b%b" % (len(plain), plain, crc_text(crc16(plain)).encode(), end)


# Segments of Appendix C of HJ 212-2017 (the ellipses of the print left out).
STANDARD = [
    f"QN=20160801085857223;ST=32;CN=1000;PW=123456;MN={MN};Flag=5;CP=&&OverTime=5;ReCount=3&&",
    f"QN=20160801085857223;ST=91;CN=9011;PW=123456;MN={MN};Flag=4;CP=&&QnRtn=1&&",
    f"QN=20160801085857223;ST=91;CN=9012;PW=123456;MN={MN};Flag=4;CP=&&ExeRtn=1&&",
    f"QN=20160801085857223;ST=91;CN=9013;PW=123456;MN={MN};Flag=4;CP=&&&&",
    (
        f"QN=20160801085857223;ST=32;CN=1011;PW=123456;MN={MN};Flag=4;"
        "CP=&&PolId=w01018;SystemTime=20160801085857&&"
    ),
    f"QN=20160801085857223;ST=32;CN=1072;PW=123456;MN={MN};Flag=5;CP=&&NewPW=654321&&",
    (
        f"QN=20160801085857223;ST=32;CN=2051;PW=123456;MN={MN};Flag=5;"
        "CP=&&BeginTime=20160801084000;EndTime=20160801084000&&"
    ),
    (
        f"QN=20160801085857223;ST=32;CN=2041;PW=123456;MN={MN};Flag=5;"
        "CP=&&BeginTime=20160801000000,EndTime=20160801000000&&"
    ),
    (
        f"QN=20160801085857223;ST=32;CN=2061;PW=123456;MN={MN};Flag=5;CP=&&DataTime=20160801080000;"
        "w00000-Cou=63.0,w00000-Min=16.4,w00000-Avg=17.5,w00000-Max=20.1,w00000-Flag=N;"
        "w01001-Min=7.1,w01001-Avg=7.5,w01001-Max=7.8,w01001-Flag=N&&"
    ),
    (
        f"QN=20160801085857223;ST=32;CN=2021;PW=123456;MN={MN};Flag=5;"
        "CP=&&DataTime=20160801085857;SB1-RS=1;SB2-RS=0&&"
    ),
    (
        f"QN=20160801085857223;ST=32;CN=2041;PW=123456;MN={MN};Flag=5;"
        "CP=&&DataTime=20160801000000;SB1-RT=1.1;SB2-RT=2.1&&"
    ),
    (
        f"QN=20160801085857223;ST=32;CN=2081;PW=123456;MN={MN};Flag=5;"
        "CP=&&DataTime=20160801085857;RestartTime=20160801085624&&"
    ),
    (
        f"QN=20160801085857223;ST=32;CN=3016;PW=123456;MN={MN};Flag=5;"
        "CP=&&PolId=w01018;CstartTime=000000;CTime=2&&"
    ),
    (
        f"QN=20160801085857223;ST=32;CN=3019;PW=123456;MN={MN};Flag=4;"
        "CP=&&PolId=w01018;w01018-SN=010000A8900016F000169DC1&&"
    ),
    (
        f"QN=20160801085857223;ST=32;CN=3020;PW=123456;MN={MN};Flag=5;"
        "CP=&&PolId=w01018;InfoId=i11001;BeginTime=20160801010522,EndTime=20160801085857&&"
    ),
    (
        f"QN=20160801085857223;ST=32;CN=3020;PW=123456;MN={MN};Flag=4;"
        "CP=&&DataTime=20160801062035;PolId=w01018;i11001-Info=//清洗管路//&&"
    ),
    (
        f"QN=20160801085857223;ST=32;CN=3021;PW=123456;MN={MN};Flag=5;"
        "CP=&&PolId=w01018;InfoId=i13004;i13004-Info=168.0&&"
    ),
    (
        f"QN=20160801085857534;ST=32;CN=2061;PW=123456;MN={MN};Flag=6;PNUM=2;PNO=1;"
        "CP=&&DataTime=20160801080000;w00000-Cou=63.0,w00000-Min=16.4,w00000-Avg=17.5,"
        "w00000-Max=20.1,w00000-Flag=N;w01001-Min=7.1,w01001-Avg=7.5,w01001-Max=7.8,w01001-Flag=N&&"
    ),
    (
        f"QN=20160801085857535;ST=32;CN=2061;PW=123456;MN={MN};Flag=7;PNUM=2;PNO=2;"
        "CP=&&DataTime=20160801080000;w01018-Cou=63.0,w01018-Min=40.1,w01018-Avg=40.1,"
        "w01018-Max=40.1,w01018-Flag=N&&"
    ),
]

# Found in public code and logs, with the sums they were printed with.
SEEN_GOOD = [
    (
        b"##0158QN=20180531225849000;ST=31;CN=2011;PW=123456;MN=010000A8900016F018010001;Flag=5;"
        b"CP=&&DataTime=20180531225849;a34041-Rtd=0.00,a34041-Flag=N;SB7-RS=2;SB8-RS=2&&9181\r\n"
    ),
    (
        b"##0162QN=20231008123340461;ST=22;CN=2011;PW=123456;MN=010000A8900016F000169DC0;Flag=5;"
        b"CP=&&DataTime=20231008123340;w01008-SampleTime=20231008123340,w01008-Rtd=123.456&&F441\r\n"
    ),
    (
        b"##0094QN=20231008125115215;ST=22;CN=9011;PW=123456;MN=010000A8900016F000169DC0;Flag=4;"
        b"CP=&&QnRtn=1&&CC01\r\n"
    ),
    (
        b"##0372QN=20180315134456001;ST=31;CN=2011;PW=123456;MN=TY0102183V0001;"
        b"CP=&&DataTime=20180315134400;S03-Rtd=147.12,S03-Flag=N;S08-Rtd=1.349,S08-Flag=N;"
        b"S05-Rtd=8.000,S05-Flag=N;S01-Rtd=14.913,S01-Flag=N;S02-Rtd=6.38,S02-Flag=N;"
        b"B02-Rtd=3600.0,B02-Flag=N;01-Rtd=25.2100,01-ZsRtd=63.6616,01-Flag=N;"
        b"02-Rtd=20.3400,02-ZsRtd=51.0317,02-Flag=N;03-Rtd=50.5467,03-ZsRtd=125.0510,03-Flag=N&&A781\r\n"
    ),
    (
        b"##0316ST=31;CN=2011;PW=;MN=;CP=&&DataTime=20200718123600;01-ZsRtd=2.47,01-Rtd=1.48,"
        b"01-Flag=N;02-ZsRtd=5.08,02-Rtd=3.05,02-Flag=N;03-ZsRtd=0.61,03-Rtd=0.37,03-Flag=N;"
        b"S01-Rtd=20.7,S01-Flag=N;S02-Rtd=3.27,S02-Flag=N;S03-Rtd=40.35,S03-Flag=N;S05-Rtd=0,"
        b"S05-Flag=N;S08-Rtd=0.1,S08-Flag=N;B02-ZsRtd=6.46,B02-Rtd=7.43,B02-Flag=N&&7640\r\n"
    ),
]
SEEN_MODBUS = (  # a CEMS that sends a Modbus CRC, low byte first
    b"##0236ST=31;CN=2011;PW=123456;MN=MP1;CP=&&DataTime=20210129152246;01-Rtd=8.764,"
    b"01-ZsRtd=14.387;02-Rtd=9.933,02-ZsRtd=16.307;03-Rtd=86.131,03-ZsRtd=141.392;"
    b"B02-Rtd=6015.213;S01-Rtd=13.893;S02-Rtd=2.491;S03-Rtd=44.586;S05-Rtd=0;S08-Rtd=53.796&&524F\r\n"
)
