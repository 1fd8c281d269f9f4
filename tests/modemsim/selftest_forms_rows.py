# SPDX-License-Identifier: MIT
"""Rows of selftest_forms.py: the commands that bring a module up.

Cited are the A7600 manual and its application note, and what they build on:
27.007, V.250; "SIMCom" is the AT command manual of the family.
"""

BRING_UP = [
    ("bring-up", "CPIN=?", ["OK"], "27.007 8.3"),
    ("bring-up", "CPIN?", ["+CPIN: READY", "OK"], "appnote 1.4"),
    ("bring-up", "CPIN=1234", ["+CME ERROR: operation not allowed"],
     "27.007 8.3"),
    ("bring-up", "CSQ=?", ["+CSQ: (0-31,99),(0-7,99)", "OK"], "27.007 8.5"),
    ("bring-up", "CSQ", ["+CSQ: 25,99", "OK"], "manual 6.1.1"),
    ("bring-up", "CFUN=?", ["+CFUN: (0,1,4,6),(0,1)", "OK"], "27.007 8.2"),
    ("bring-up", "CFUN?", ["+CFUN: 1", "OK"], "appnote 1.4"),
    ("bring-up", "CFUN=3", ["ERROR"], "27.007 8.2"),
    *[("bring-up", c, a, "manual 6.1.1") for name in (
        "CREG", "CGREG", "CEREG") for c, a in (
            (name + "=?", ["+%s: (0-2)" % name, "OK"]),
            (name + "?", ["+%s: 0,1" % name, "OK"]),
            (name + "=2", ["OK"]), (name + "?", [
                '+%s: 2,1,"1816","01A50A1B",7' % name, "OK"]),
            (name + "=1", ["OK"]), (name + "=3", ["ERROR"]))],
    ("bring-up", "CFUN=0", ["OK", "+CREG: 0", "+CGREG: 0", "+CEREG: 0"],
     "27.007 8.2"),
    ("bring-up", "CSQ", ["+CSQ: 99,99", "OK"], "27.007 8.5"),
    ("bring-up", "COPS?", ["+COPS: 0", "OK"], "27.007 7.3"),
    ("bring-up", "CPSI?", ["+CPSI: NO SERVICE,Low Power Mode", "OK"],
     "appnote 1.4"),
    ("bring-up", "CGPADDR=1", ["OK"], "27.007 10.1.14"),
    ("bring-up", "CFUN=1", ["OK", "+CREG: 1", "+CGREG: 1", "+CEREG: 1"],
     "appnote 1.4"),
    ("bring-up", "CPSI=?", ["+CPSI: (0-255)", "OK"], "appnote 1.4"),
    ("bring-up", "CPSI=0", ["OK"], "appnote 1.4"),
    ("bring-up", "CPSI?", [
        "+CPSI: LTE,Online,460-00,0x1816,27593483,139,EUTRAN-BAND39,38400,5,"
        "5,-88,-868,-578,18", "OK"], "manual 6.1.1"),
    ("bring-up", "CGDCONT=?", ['\r\n'.join(
        '+CGDCONT: (1-15),"%s",,,(0-1),(0-1)' % t
        for t in ("IP", "IPV6", "IPV4V6")), "OK"], "27.007 10.1.1"),
    ("bring-up", "CGDCONT?", ["OK"], "27.007 10.1.1"),
    ("bring-up", 'CGDCONT=1,"IP","CMNET"', ["OK"], "manual 6.1.2"),
    ("bring-up", "CGDCONT?", ['+CGDCONT: 1,"IP","CMNET","",0,0', "OK"],
     "27.007 10.1.1"),
    ("bring-up", 'CGDCONT=1,"X25","CMNET"', ["ERROR"], "27.007 10.1.1"),
    ("bring-up", "CGACT=?", ["+CGACT: (0,1)", "OK"], "27.007 10.1.10"),
    ("bring-up", "CGACT?", ["+CGACT: 1,1", "OK"], "27.007 10.1.10"),
    ("bring-up", "CGACT=1,1", ["OK"], "27.007 10.1.10"),
    ("bring-up", "CGACT=1,5", ["ERROR"], "27.007 10.1.10"),
    ("bring-up", "CGPADDR=?", ["+CGPADDR: (1-15)", "OK"], "27.007 10.1.14"),
    ("bring-up", "CGPADDR", ["+CGPADDR: 1,10.0.0.2", "OK"],
     "27.007 10.1.14"),
    ("bring-up", "CGPADDR=1", ["+CGPADDR: 1,10.0.0.2", "OK"],
     "27.007 10.1.14"),
    ("bring-up", "CGATT=?", ["+CGATT: (0,1)", "OK"], "27.007 10.1.9"),
    ("bring-up", "CGATT?", ["+CGATT: 1", "OK"], "27.007 10.1.9"),
    ("bring-up", "CGATT=1", ["OK"], "27.007 10.1.9"),
    ("bring-up", "COPS=?", ['+COPS: (2,"SIMNET","SIMNET","46000",7),,(0-4),'
                            '(0-2)', "OK"], "27.007 7.3"),
    ("bring-up", "COPS?", ['+COPS: 0,0,"SIMNET",7', "OK"], "27.007 7.3"),
    ("bring-up", "COPS=3,2", ["OK"], "27.007 7.3"),
    ("bring-up", "COPS?", ['+COPS: 0,2,"46000",7', "OK"], "27.007 7.3"),
    ("bring-up", 'COPS=1,2,"26201"', ["+CME ERROR: no network service"],
     "27.007 7.3"),
    ("bring-up", "IPR=?", [
        "+IPR: (0,300,600,1200,2400,4800,9600,19200,38400,57600,115200,"
        "230400,460800,921600,1842000,3000000,3686400)", "OK"],
     "V.250 6.2.10"),
    ("bring-up", "IPR?", ["+IPR: 0", "OK"], "V.250 6.2.10"),
    ("bring-up", "IPR=12345", ["ERROR"], "V.250 6.2.10"),
    ("bring-up", "CICCID", ["+ICCID: 89860000000000000017", "OK"], "SIMCom"),
    ("bring-up", "CICCID=?", ["OK"], "SIMCom"),
    ("bring-up", "CRESET=?", ["OK"], "SIMCom"),
    ("bring-up", "CGSN", ["861234050000017", "OK"], "27.007 5.4"),
    ("bring-up", "CIMI", ["460001234567890", "OK"], "27.007 5.6"),
    ("bring-up", "CGMI", ["SIMCOM INCORPORATED", "OK"], "27.007 5.1"),
    ("bring-up", "CGMM", ["A7670E-FASE", "OK"], "27.007 5.2"),
    ("bring-up", "CGMR", ["+CGMR: A7670M7_V1.11.1", "OK"], "27.007 5.3"),
    *[("bring-up", n + "=?", ["OK"], "27.007") for n in (
        "CGSN", "CIMI", "CGMI", "CGMM", "CGMR")],
    ("bring-up", "CMEE=?", ["+CMEE: (0-2)", "OK"], "27.007 9.1"),
    ("bring-up", "CMEE?", ["+CMEE: 2", "OK"], "27.007 9.1"),
    ("bring-up", "CMEE=1", ["OK"], "27.007 9.1"),
    ("bring-up", "CMEE=3", ["ERROR"], "27.007 9.1"),
    ("bring-up", 'COPS=1,2,"26201"', ["+CME ERROR: 30"], "27.007 9.2"),
    ("bring-up", "CMEE", ["OK"], "27.007 9.1"),
    ("bring-up", "CMEE?", ["+CMEE: 0", "OK"], "27.007 9.1"),
    ("bring-up", 'COPS=1,2,"26201"', ["ERROR"], "27.007 9.1"),
    ("bring-up", "CGAUTH=?", ["+CGAUTH: (1-15),(0-3),64,64", "OK"],
     "SIMCom"),
    ("bring-up", 'CGAUTH=1,1,"p","u"', ["OK"], "SIMCom"),
    ("bring-up", "CGAUTH?", ['+CGAUTH: 1,1,"u","p"', "OK"], "SIMCom"),
    ("bring-up", "CGEREP=?", ["+CGEREP: (0-2),(0-1)", "OK"],
     "27.007 10.1.19"),
    ("bring-up", "CGEREP=2,1", ["OK"], "27.007 10.1.19"),
    ("bring-up", "CGEREP?", ["+CGEREP: 2,1", "OK"], "27.007 10.1.19"),
    ("bring-up", "CGEREP", ["OK"], "27.007 10.1.19"),
    ("bring-up", "IFC=?", ["+IFC: (0,2),(0,2)", "OK"], "V.250 6.2.12"),
    ("bring-up", "IFC=2,2", ["OK"], "V.250 6.2.12"),
    ("bring-up", "IFC?", ["+IFC: 2,2", "OK"], "V.250 6.2.12"),
    ("bring-up", "IFC", ["OK"], "V.250 6.2.12"),
    ("bring-up", "IPR=115200", ["OK"], "V.250 6.2.10"),
]
