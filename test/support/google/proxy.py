"""A proxy that knows CONNECT alone, and leads whatever host is asked for to this server's TLS port."""

import socket
import socketserver
import threading
import time


class Tunnel(socketserver.StreamRequestHandler):
    def handle(self):
        line = self.rfile.readline(1000).decode("latin-1").split()
        while self.rfile.readline(10000).strip():
            pass
        method, target = line[:2] if len(line) == 3 else ("", "")
        self.server.journal.add({"method": method, "path": target, "query": "", "time": time.time(), "status": 200})
        if method != "CONNECT":
            self.wfile.write(b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        with socket.create_connection(("127.0.0.1", self.server.target)) as inside:
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=pump, args=(inside, self.connection), daemon=True)
            back.start()
            pump(self.connection, inside)
            back.join()


def pump(source, target):
    try:
        while data := source.recv(1 << 16):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        for end in (source, target):
            end.close()


class Proxy(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, journal, target):
        self.journal, self.target = journal, target
        super().__init__(("127.0.0.1", 0), Tunnel)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def handle_error(self, request, client_address):
        pass  # a client that went away
