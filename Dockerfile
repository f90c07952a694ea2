# Two static binaries and nothing else: `make image` builds them into dist/ first.
# Certificate authorities are compiled in (golang.org/x/crypto/x509roots/fallback).
FROM scratch
COPY dist/juju dist/jujud /usr/local/bin/
ENV PATH=/usr/local/bin HOME=/root JUJU_DATA=/client
WORKDIR /tmp
WORKDIR /root
ENTRYPOINT ["/usr/local/bin/jujud"]
CMD ["machine", "--data-dir", "/var/lib/juju", "--join-file", "/join/token"]
