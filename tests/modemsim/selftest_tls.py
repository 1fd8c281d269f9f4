# SPDX-License-Identifier: MIT
"""TLS: W800 manual, CIPSTART "SSL", CIPRECVLEN, CIPSSLC..."""

import socket
import threading
import time

from simtest import *
from tlstest import *
from w800test import *


@test
def tls_straight_line():
    """Open, both ways, ends from either side, close_notify and all."""
    far = TlsServer()
    with Wifi() as s:
        s.up()
        peer = fine(s, 2, far)
        now = slot(s, 2)
        assert now["type"] == "TLS", now
        assert now["tls"]["version"] == "TLSv1.2", now
        assert now["tls"]["cipher"] == peer.cipher()[0], now
        assert now["tls"]["peer"] == NAME, now
        assert far.asked_for is None
        s.ask("AT+CIPSTATE?", '+CIPSTATE:2,"SSL","127.0.0.1",%d,%d,0' %
              (far.port, peer.getpeername()[1]), "OK")
        s.send(2, "hello")
        assert receive(peer, 5) == b"hello"
        assert slot(s, 2)["sent"] == 5
        s.ask("AT+CIPCLOSE=2", "2,CLOSED", "OK")
        assert peer.recv(10) == b"", "no close_notify"
        peer.close()

        peer = fine(s, 2, far)
        peer.sendall(b"last words")
        held = slot_held(s, 2)
        s.expect(s.ipd(2, size=held))
        ends = threading.Thread(target=peer.unwrap)
        ends.start()
        s.silent(0.05)
        s.take(2, 100, b"last words", "2,CLOSED\r\n")
        ends.join(5)
        assert not ends.is_alive(), "no close_notify"
        peer.close()

        fine(s, 0, far).close()     # FIN, and no close_notify
        s.expect("0,CLOSED\r\n")
        assert s.violations() == {}


@test
def tls_much_data():
    """More than a window and than a record, each way, to the byte."""
    far = TlsServer()
    data = bytes(range(256)) * 1000
    with Wifi() as s:
        s.up()
        peer = fine(s, 1, far)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
        got = []
        reader = threading.Thread(
            target=lambda: got.append(receive(peer, len(data))))
        reader.start()
        for at in range(0, len(data), 5760):
            s.send(1, data[at:at + 5760])
        reader.join(10)
        assert got == [data]
        assert slot(s, 1)["sent"] == len(data)

        writer = threading.Thread(target=peer.sendall, args=(data,))
        writer.start()
        time.sleep(0.2)
        held = slot(s, 1)["held"]
        # one record of 16384 beyond the window at most
        assert 5760 <= held <= 5760 + 16384 + 2 * 64, held
        assert writer.is_alive(), "the window did not hold it up"
        assert take_all(s, 1, len(data)) == data
        writer.join(10)
        assert slot(s, 1)["received"] == len(data)


@test
def tls_lengths():
    """The cache counts records, a read gives what is in them (Q110)."""
    far = TlsServer()
    with Wifi() as s:
        s.up()
        peer = fine(s, 0, far)
        peer.sendall(b"x" * 421)
        more = slot(s, 0)["held"] - 421
        while more <= 0:
            more = slot(s, 0)["held"] - 421
        assert 16 <= more <= 64, more
        s.expect(s.ipd(0, size=421 + more))
        s.ask("AT+CIPRECVLEN?", "+CIPRECVLEN:%d,-1,-1,-1,-1" % (421 + more),
              "OK")
        # part of a record: its overhead stays
        s.take(0, 400, b"x" * 400, s.ipd(0, size=21 + more))
        s.ask("AT+CIPRECVLEN?", "+CIPRECVLEN:%d,-1,-1,-1,-1" % (21 + more),
              "OK")
        s.take(0, 450, b"x" * 21)
        s.ask("AT+CIPRECVLEN?", "+CIPRECVLEN:0,-1,-1,-1,-1", "OK")
        # two records, the first of them read in full
        peer.sendall(b"1" * 100)
        s.expect(s.ipd(0, size=100 + more))
        peer.sendall(b"2" * 10)
        while slot(s, 0)["buffered"] < 110:
            time.sleep(0.001)
        assert slot(s, 0)["held"] == 110 + 2 * more
        s.take(0, 105, b"1" * 100 + b"2" * 5, s.ipd(0, size=5 + more))
        s.take(0, 105, b"2" * 5)
        s.ask("AT+CIPRECVMODE=0", "OK")
        peer.sendall(b"y" * 50)
        s.expect(s.ipd(0, b"y" * 50))       # active mode: what there is


@test
def tls_end_announced():
    """The end is a record, too: announced, and there is nothing to read."""
    far = TlsServer()
    with Wifi("--quirk", "tls-end-announced") as s:
        s.up()
        fine(s, 0, far).close()             # no close_notify: no record
        s.expect("0,CLOSED\r\n")
        peer = fine(s, 0, far)
        peer.sendall(b"end")
        held = slot_held(s, 0)
        s.expect(s.ipd(0, size=held))
        ends = threading.Thread(target=peer.unwrap)
        ends.start()
        while slot(s, 0)["held"] == held:
            time.sleep(0.001)
        assert slot(s, 0)["held"] == held + 31
        s.take(0, 100, b"end", s.ipd(0, size=31))
        s.ask("AT+CIPRECVLEN?", "+CIPRECVLEN:31,-1,-1,-1,-1", "OK")
        s.write("AT+CIPRECVDATA=0,31\r\n")
        s.expect(s.final("ERROR") + "0,CLOSED\r\n")
        ends.join(5)
        peer = fine(s, 0, far)              # nothing else in the cache
        ends = threading.Thread(target=peer.unwrap)
        ends.start()
        s.expect(s.ipd(0, size=31))
        s.write("AT+CIPRECVDATA=0,31\r\n")
        s.expect(s.final("ERROR") + "0,CLOSED\r\n")
        ends.join(5)


@test
def tls_verifies():
    """<auth_mode> 2: by the CA, by the name, by the modem's own clock."""
    far, old = TlsServer(), TlsServer("expired")
    with Wifi(*stored(), "--clock-set") as s:
        s.up()
        s.ask("AT+CIPSSLCCONF=0,2,0,0", "OK")
        fine(s, 0, far).close()
        s.expect("0,CLOSED\r\n")
        refused(s, 0, old, "certificate has expired")
        assert "expired" in old.error or "alert" in old.error, old.error
        s.ask("AT+CIPSSLCCONF=0,2,0,7", "OK")
        refused(s, 0, far, "unable to get local issuer certificate")
        s.ask("AT+CIPSSLCCONF=0,2,0,5", "OK")
        s.ask(start(s, 0, far.port), "ERROR")
        assert "no ca 5 in the module" in slot(s, 0)["why"]
        s.ask("AT+CIPSSLCCONF=0,0", "OK")
        fine(s, 0, old).close()             # 0: it is taken as it is
        s.expect("0,CLOSED\r\n")


@test
def tls_names():
    far = TlsServer(alpn=("http/1.1", "mqtt"))
    with Wifi(*stored(), "--clock-set") as s:
        s.up()
        s.ask("AT+CIPSSLCCONF=5,2,0,0", "OK")
        s.ask('AT+CIPSSLCCN=1,"%s"' % NAME, "OK")
        s.ask('AT+CIPSSLCCN=2,"second.test"', "OK")
        s.ask('AT+CIPSSLCCN=3,"third.test"', "OK")
        s.ask('AT+CIPSSLCSNI=1,"wanted.test"', "OK")
        s.ask('AT+CIPSSLCALPN=1,3,"coap","mqtt","http/1.1"', "OK")
        peer = fine(s, 1, far)
        assert far.asked_for == "wanted.test"
        assert peer.selected_alpn_protocol() == "http/1.1"
        assert slot(s, 1)["tls"]["alpn"] == "http/1.1"
        peer.close()
        s.expect("1,CLOSED\r\n")
        fine(s, 2, far).close()
        s.expect("2,CLOSED\r\n")
        refused(s, 3, far, "hostname mismatch")
        # names are of the certificate: without one nothing is compared
        s.ask("AT+CIPSSLCCONF=3,0", "OK")
        peer = fine(s, 3, far)
        assert peer.selected_alpn_protocol() is None


@test
def tls_clock():
    """Before a time server has answered it is 1970: nothing is valid yet."""
    far = TlsServer()
    with Wifi(*stored()) as s:
        s.up()
        s.ask("AT+CIPSSLCCONF=0,2", "OK")
        refused(s, 0, far, "certificate is not yet valid")
        s.ask("AT+CIPSSLCCONF=0,1,3", "OK")
        fine(s, 0, far).close()
        s.expect("0,CLOSED\r\n")


@test
def tls_clock_by_sntp():
    """A time server answers, and the same certificate is valid; till a boot."""
    far = TlsServer()
    with Wifi(*stored()) as s:
        s.up()
        s.ask("AT+CIPSSLCCONF=0,2", "OK")
        refused(s, 0, far, "certificate is not yet valid")
        s.ask("AT+CIPSNTPCFG=1,8", "OK")
        answer = b"1970"
        while b"1970" in answer:
            s.write("AT+CIPSNTPTIME?\r\n")
            answer = read_until(s, b"OK\r\n")
        fine(s, 0, far).close()
        s.expect("0,CLOSED\r\n")
        restart(s)
        refused(s, 0, far, "certificate is not yet valid")


@test
def tls_shows():
    """<auth_mode> 1 and 3: a certificate of the module."""
    far = TlsServer(ask_client=True)
    with Wifi(*stored(), "--clock-set") as s:
        s.up()
        refused(s, 0, far, "handshake")
        assert "certificate" in far.error, far.error
        for mode in (1, 3):
            s.ask("AT+CIPSSLCCONF=0,%d,3,0" % mode, "OK")
            peer = fine(s, 0, far)
            subject = dict(row[0] for row in peer.getpeercert()["subject"])
            assert subject["commonName"] == "client 7", subject
            peer.close()
            s.expect("0,CLOSED\r\n")
        s.ask("AT+CIPSSLCCONF=0,1,4", "OK")
        s.ask(start(s, 0, far.port), "ERROR")
        assert "no pki 4 in the module" in slot(s, 0)["why"]


@test
def tls_psk():
    """The bytes of <psk> are the key, <hint> says who we are."""
    key = "secret key".encode().hex()
    with SServer("-psk", key, "-psk_identity", "modem 1", "-psk_hint", "any",
                 "-nocert", "-tls1_2", "-rev") as far, Wifi() as s:
        s.up()
        s.ask('AT+CIPSSLCPSK=0,"secret key","modem 1"', "OK")
        s.ask('AT+CIPSSLCPSK=1,"another key","modem 1"', "OK")
        s.ask('AT+CIPSSLCPSK=2,"secret key","modem 2"', "OK")
        s.ask(start(s, 0, far.port), "0,CONNECT", "OK")
        assert "PSK" in slot(s, 0)["tls"]["cipher"]
        s.write("AT+CIPSEND=0,4\r\n")
        s.expect(s.prompt())
        s.write("abc\n")
        s.expect(s.sent(4) + s.ipd(0, size=slot_held(s, 0)))
        s.take(0, 10, b"cba\n")
        s.ask("AT+CIPCLOSE=0", "0,CLOSED", "OK")
        s.ask(start(s, 1, far.port), "ERROR")
        assert "handshake" in slot(s, 1)["why"]
        s.ask(start(s, 3, far.port), "ERROR")       # nothing in common
    # the identity is what a server looks the key up by
    with SServer("-psk", key, "-psk_identity", "modem 1", "-nocert",
                 "-tls1_2") as far, Wifi() as s:
        s.up()
        s.ask('AT+CIPSSLCPSK=0,"secret key","modem 2"', "OK")
        s.write(start(s, 0, far.port) + "\r\n")
        told = ""
        while "modem 2" not in told:
            told += far.process.stdout.readline()


@test
def tls_mute_peer():
    """Every packet of the handshake has its own time."""
    server = Server()
    with Wifi("--tls-time", "300") as s:
        s.up()
        before = time.monotonic()
        s.ask(start(s, 0, server.port), "ERROR")
        assert 0.25 < time.monotonic() - before < 2
        assert "timed out" in slot(s, 0)["why"], slot(s, 0)
        server.accept().close()

        s.write(start(s, 0, server.port) + "\r\n")
        peer = server.accept()
        assert peer.recv(1) == b"\x16"
        peer.close()
        s.expect("\r\nERROR\r\n")
        assert "reset" in slot(s, 0)["why"], slot(s, 0)

        s.write(start(s, 0, server.port) + "\r\n")
        peer = server.accept()
        peer.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")
        s.expect("\r\nERROR\r\n")
        assert "handshake: " in slot(s, 0)["why"], slot(s, 0)
        # the next connection is not spoilt by the last
        far = TlsServer()
        fine(s, 0, far).close()
        s.expect("0,CLOSED\r\n")


@test
def tls_slow_handshake():
    """CIPSTART's own time ends where the handshake begins."""
    far = TlsServer()
    far.patience = 0.6
    with Wifi("--connect-timeout", "300") as s:
        s.up()
        fine(s, 0, far).close()
        s.expect("0,CLOSED\r\n")


@test
def tls_then_plain():
    """Nothing of TLS is left on a link that was used for it."""
    far, plain = TlsServer(), Server()
    with Wifi() as s:
        s.up()
        fine(s, 0, far).close()
        s.expect("0,CLOSED\r\n")
        peer = s.connect(0, plain)
        s.send(0, "plain")
        assert receive(peer, 5) == b"plain"
        peer.sendall(b"back")
        s.expect(s.ipd(0, size=4))
        assert slot(s, 0)["type"] == "TCP" and "tls" not in slot(s, 0)


@test
def tls_broken_record():
    """What cannot be decrypted ends the link, once."""
    far = TlsServer()
    with Wifi() as s:
        s.up()
        peer = fine(s, 0, far)
        raw = socket.socket(fileno=peer.detach())
        raw.sendall(b"\x17\x03\x03\x00\x20" + b"?" * 32)
        s.expect("0,CLOSED\r\n")
        raw.close()
        assert slot(s, 0)["state"] == "free"


@test
def tls_send_not_taken():
    """SO_SNDTIMEO: what was taken is counted, the record in hand too."""
    far = TlsServer()
    with Wifi("--buffer", "20000") as s:
        s.up()
        s.ask("AT+CIPTCPOPT=0,,,200", "OK")
        peer = fine(s, 0, far)
        data = b"z" * 5760
        sent = 0
        for _ in range(400):
            s.write("AT+CIPSEND=0,5760\r\n")
            s.expect(s.prompt())
            s.write(data)
            answer = b""
            while not answer.endswith((b"SEND OK\r\n", b"SEND FAIL\r\n",
                                       b"ERROR\r\n")):
                answer += s.read(3)
            if b"SEND OK" not in answer:
                break
            sent += 5760
        assert b"SEND OK" not in answer, "the kernel took it all"
        taken = slot(s, 0)["sent"]
        assert sent <= taken < sent + 5760, (sent, taken)
        assert receive(peer, taken) == b"z" * taken
        peer.settimeout(0.2)
        try:
            assert not peer.recv(1), "more than was counted"
        except TimeoutError:
            pass
