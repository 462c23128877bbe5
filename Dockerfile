# The image of image-update: the function, and tk-image beside it. `npm run image` builds dist/ and then this.
#
# dist/ is copied, not built in here. Its build is reproducible, so the image holds the very bytes that `npm run check` has
# looked at, and needs neither a compiler nor a package registry. Nothing in it is native: it is the same on every platform.
ARG BASE=node:24-slim

FROM ${BASE} AS files
COPY LICENSE dist/ /files/
# Any user must be able to read them, whatever the umask of the build was.
RUN chmod -R u=rwX,go=rX /files

FROM ${BASE}
# git and ssh are what `tk-image run` works with. Bases that have them already are left as they are.
RUN set -e; \
    if ! { command -v git && command -v ssh && test -s /etc/ssl/certs/ca-certificates.crt; } >/dev/null; then \
      command -v apt-get >/dev/null || { echo 'the base lacks git, ssh or certificates, and has no apt-get to install them' >&2; exit 1; }; \
      apt-get update; \
      DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends git openssh-client ca-certificates; \
      rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log; \
    fi; \
    # kpt runs a function as `nobody`, by that name.
    id nobody >/dev/null; \
    # ssh refuses to run for a user without an entry. No useradd: not every base has one.
    echo 'image-update:x:65532:65532::/nonexistent:/usr/sbin/nologin' >>/etc/passwd; \
    echo 'image-update:x:65532:' >>/etc/group; \
    ln -s ../lib/image-update/image-update.js /usr/local/bin/image-update; \
    ln -s ../lib/image-update/tk-image.js /usr/local/bin/tk-image
COPY --from=files /files /usr/local/lib/image-update

# The one place where anybody may write.
ENV IMAGE_UPDATE_CACHE=/tmp/image-update-cache
WORKDIR /workspace
# Not nobody (65534): that is who runs other people's images, in `tk-image run` and in kpt, and ours may hold credentials.
# A number, so that a cluster can see that it is not root.
USER 65532:65532
ENTRYPOINT ["image-update"]

# All are set, though empty, so that those of the base are not taken for ours.
ARG VERSION=""
ARG REVISION=""
ARG CREATED=""
ARG SOURCE=""
LABEL org.opencontainers.image.title="image-update" \
      org.opencontainers.image.description="Keeps container image references in git up to date: a KRM function that moves no other byte" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.source="${SOURCE}"
