"""A thread for each connection, every request and reply logged: how such a service is often written in Python."""

import logging
import socket
import sys
import threading
import time


def serve(connection, address):
    with connection:
        unfinished = b""
        while chunk := connection.recv(4096):
            *lines, unfinished = (unfinished + chunk).split(b"\n")
            for line in lines:
                request = line.decode("latin-1").strip()
                logging.info("Menerima pesan dari %s: '%s'", address, request)
                if request == "QUIT":
                    return
                if request == "TIME":
                    reply = "JAM " + time.strftime("%H:%M:%S")
                else:
                    reply = "UNKNOWN COMMAND."
                connection.sendall(reply.encode("latin-1") + b"\r\n")
                logging.info("Mengirim balasan ke %s: %s", address, reply)


def main():
    logging.basicConfig(level=logging.INFO, format="%(asctime)s - [SERVER] - %(message)s")
    with socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=1024) as server:
        while True:
            connection, address = server.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=serve, args=(connection, address), daemon=True).start()


main()
