"""A broker for one client of pika, in memory: what is published is delivered to whoever consumes."""

from __future__ import annotations

import socketserver
import threading
from contextlib import contextmanager, suppress

from pika import frame, spec


class _Connection(socketserver.BaseRequestHandler):
    def handle(self):
        self._consumer, self._tag, self._message = None, 0, []
        read = b""
        with suppress(ConnectionError):
            while got := self.request.recv(65_536):
                read += got
                while True:
                    size, found = frame.decode_frame(read)
                    if found is None:
                        break
                    read = read[size:]
                    self._answer(found)

    def _send(self, channel, *methods):
        self.request.sendall(b"".join(frame.Method(channel, each).marshal() for each in methods))

    def _answer(self, found):
        if isinstance(found, frame.ProtocolHeader):
            self._send(0, spec.Connection.Start(server_properties={}, mechanisms="PLAIN", locales="en_US"))
        elif isinstance(found, frame.Method):
            self._answer_method(found.channel_number, found.method)
        elif isinstance(found, (frame.Header, frame.Body)):
            self._message.append(found)
            if isinstance(found, frame.Body) and self._consumer:
                self._deliver()

    def _answer_method(self, channel, method):
        answers = {
            spec.Connection.StartOk: lambda: spec.Connection.Tune(channel_max=9, frame_max=131_072, heartbeat=0),
            spec.Connection.Open: spec.Connection.OpenOk,
            spec.Connection.Close: spec.Connection.CloseOk,
            spec.Channel.Open: spec.Channel.OpenOk,
            spec.Channel.Close: spec.Channel.CloseOk,
            spec.Queue.Declare: lambda: spec.Queue.DeclareOk(queue="orders", message_count=0, consumer_count=0),
            spec.Basic.Consume: lambda: spec.Basic.ConsumeOk(consumer_tag=method.consumer_tag),
            spec.Basic.Cancel: lambda: spec.Basic.CancelOk(consumer_tag=method.consumer_tag),
        }
        if isinstance(method, spec.Basic.Publish):
            self._message = []
        if type(method) in answers:
            self._send(channel, answers[type(method)]())
        if isinstance(method, spec.Basic.Consume):
            self._consumer = (channel, method.consumer_tag)
            if self._message:
                self._deliver()

    def _deliver(self):
        channel, consumer = self._consumer
        self._tag += 1
        deliver = spec.Basic.Deliver(consumer, self._tag, redelivered=False, exchange="", routing_key="orders")
        self._send(channel, deliver)
        header, *bodies = self._message
        again = [frame.Header(channel, header.body_size, header.properties)]
        again += [frame.Body(channel, body.fragment) for body in bodies]
        self.request.sendall(b"".join(each.marshal() for each in again))


@contextmanager
def running_broker():
    """Serve until the block ends; gives the port."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Connection) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()
