"""A web server on this machine."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Loopback:
    """A server at ``url``, from ``serve`` to ``stop``."""

    def serve(self, handler: type[BaseHTTPRequestHandler]) -> None:
        """Answer by the handler, at a port that is free."""
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        """End."""
        self.server.shutdown()
        self.server.server_close()
