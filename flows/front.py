"""The configuration of nginx in front of svartid: TLS, HTTP/2, and tiles as static files.

The application is asked who may see a slide; a yes is kept for YES_SECONDS and no longer.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from pathlib import Path

from storage.errors import SettingsError

YES_SECONDS = 5
"""As long as the application itself remembers who somebody is."""
_PLAIN = re.compile(r"[A-Za-z0-9_./:@+,=~-]+")
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,253}")
_ADDRESS = re.compile(r"(?:[A-Za-z0-9.-]+:|\[[0-9a-fA-F:]+\]:)?\d{1,5}")


@dataclass(frozen=True, slots=True)
class Front:
    """What is to be served where; files and folders as absolute paths."""

    pyramids: Path
    scratch: Path
    """For the process id, the answers of the gate, and nothing else; closed to others."""
    owner: str
    """Who owns the data folder: nginx reads it as that user."""
    certificate: Path
    key: Path
    listen: str = "443"
    app: str = "127.0.0.1:8080"
    name: str = "_"
    processes: str = "auto"
    direct: bool = True


def nginx_configuration(front: Front) -> str:
    """A complete nginx.conf. Errors: SettingsError for what nginx would read as something else."""
    for path in (front.pyramids, front.scratch, front.certificate, front.key):
        if not _PLAIN.fullmatch(str(path)):
            raise SettingsError(f"{path}: nginx needs paths of letters, digits and _./:@+,=~-")
    for address in (front.listen, front.app):
        if not _ADDRESS.fullmatch(address):
            raise SettingsError(f"{address!r} is no address such as 8443 or 127.0.0.1:8443")
    for word in (front.name, front.owner):
        if not _NAME.fullmatch(word):
            raise SettingsError(f"{word!r} is no name that nginx would understand")
    words = {name: str(value) for name, value in asdict(front).items()}
    words |= {"yes": str(YES_SECONDS), "told": "1" if front.direct else ""}
    text = _WHOLE.replace("@shards@", _SHARDS if front.direct else "")
    return re.sub(r"@(\w+)@", lambda found: words[found[1]], text)


_WHOLE = r"""# Made by `svartid front`; make it again rather than change it. Start: nginx -c FILE
user @owner@;
worker_processes @processes@;
worker_rlimit_nofile 16384;
pid @scratch@/nginx.pid;
# Requests are nobody's business here: who saw what stands in svartid's own access log. Lines of
# this level name no address but for files that cannot be read (level, column and slide id).
error_log stderr crit;
events { worker_connections 4096; }

http {
    access_log off;
    log_not_found off;
    server_tokens off;
    default_type application/octet-stream;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 100000;
    open_file_cache max=4096 inactive=60s;
    open_file_cache_valid 10s;
    client_body_temp_path @scratch@/body;
    proxy_temp_path @scratch@/proxy;
    fastcgi_temp_path @scratch@/fastcgi;
    uwsgi_temp_path @scratch@/uwsgi;
    scgi_temp_path @scratch@/scgi;
    # A kept answer's file holds the session's secret as its key: closed to others, gone soon.
    proxy_cache_path @scratch@/gate keys_zone=gate:4m max_size=64m
                     inactive=@yes@s use_temp_path=off;
    map $http_upgrade $connection_upgrade { default upgrade; "" ""; }
    upstream svartid { server @app@; keepalive 32; }

    server {
        listen @listen@ ssl http2;
        server_name @name@;
        ssl_certificate @certificate@;
        ssl_certificate_key @key@;
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_ciphers ECDHE+AESGCM:ECDHE+CHACHA20;
        ssl_session_cache shared:tls:8m;
        ssl_session_tickets off;
        client_max_body_size 0;
        proxy_http_version 1.1;
        proxy_request_buffering off;
        proxy_max_temp_file_size 0;
        proxy_read_timeout 3600s;
        proxy_set_header Host $http_host;
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header X-Forwarded-Proto https;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $connection_upgrade;
        proxy_set_header X-Svartid-Direct "@told@";

        location / { proxy_pass http://svartid; }
        location = /api/v1/changes { proxy_pass http://svartid; proxy_buffering off; }
        location /static/ {
            proxy_pass http://svartid;
            gzip on;
            gzip_types text/javascript text/css image/svg+xml;
            gzip_proxied any;
        }
        location /direct-gate { return 404; }
        location /direct/ { return 404; }
@shards@    }
}
"""

_SHARDS = r"""
        # Shards of levels and nothing else: captures of digits cannot leave the folder.
        location ~ "^/direct/(?<slide>[0-9a-f]{20})/(?<shard>\d{1,2}/c/0/\d{1,4}/\d{1,4})\z" {
            auth_request /gate;
            alias @pyramids@/$slide.ome.zarr/$shard;
            disable_symlinks on from=@pyramids@;
            types { }
            max_ranges 16;
            add_header Cache-Control "private, max-age=31536000, immutable";
            add_header X-Content-Type-Options nosniff always;
            add_header Content-Security-Policy "default-src 'none'" always;
            add_header Cross-Origin-Resource-Policy same-origin always;
        }
        # The same rule as for every tile, asked once in @yes@ seconds a session and slide. The
        # application gets what the key is made of and nothing else, so that one cannot pass for
        # another; only a yes is kept.
        location = /gate {
            internal;
            proxy_pass http://svartid/direct-gate/$slide;
            proxy_method GET;
            proxy_pass_request_body off;
            proxy_pass_request_headers off;
            proxy_set_header Cookie $http_cookie;
            proxy_set_header Authorization $http_authorization;
            proxy_set_header Connection "";
            proxy_cache gate;
            proxy_cache_key "$slide $http_authorization $http_cookie";
            proxy_cache_valid 204 @yes@s;
            proxy_ignore_headers Cache-Control Expires X-Accel-Expires Set-Cookie Vary;
            proxy_intercept_errors on;
            error_page 404 = /gate-closed;
        }
        location = /gate-closed { internal; return 403; }
"""
