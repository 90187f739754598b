"""One web process of perhaps several on the same address; the kernel deals out connections.

`python -m flows.web_server HOST PORT …`; the application is named as text, since flows know none.
Each process has a socket of its own (SO_REUSEPORT): with a shared one, whoever wakes first takes
every connection that waits.
"""

from __future__ import annotations

import argparse
import resource
import socket

import uvicorn

APPLICATION = "viewers.app:create_app"
_CONNECTIONS = 1000
_DESCRIPTORS = 4096
"""For connections and open shards together; 1024, the usual limit, can be too few."""


def main() -> int:
    """Serve until SIGTERM."""
    args = _arguments()
    allow_descriptors()
    config = uvicorn.Config(
        APPLICATION,
        factory=True,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
        server_header=False,
        date_header=False,
        proxy_headers=args.proxy_headers,
        timeout_graceful_shutdown=3,
        limit_concurrency=_CONNECTIONS,
        ssl_certfile=args.certificate,
        ssl_keyfile=args.key,
    )
    uvicorn.Server(config).run(sockets=[shared_socket(args.host, args.port)])
    return 0


def allow_descriptors() -> None:
    """Raise this process's soft limit of open files, as far as the hard one allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def shared_socket(host: str, port: int) -> socket.socket:
    """A socket on an address that other processes of the same user may listen on as well."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listening = socket.socket(family, kind, protocol)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listening.bind(address)
    return listening


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--proxy-headers", action="store_true")
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
