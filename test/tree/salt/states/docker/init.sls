docker repository:
  pkgrepo.managed:
    - name: deb [arch=amd64 signed-by=/etc/apt/keyrings/docker.asc] https://download.docker.com/linux/debian bookworm stable
    - file: /etc/apt/sources.list.d/docker.list
    - key_url: https://download.docker.com/linux/debian/gpg

docker-ce:
  pkg.installed:
    - require:
      - pkgrepo: docker repository

/etc/docker/daemon.json:
  file.managed:
    - contents: '{"log-driver": "journald", "live-restore": true}'
    - makedirs: True

docker:
  service.running:
    - enable: True
    - require:
      - pkg: docker-ce
    - watch:
      - file: /etc/docker/daemon.json

docker image prune -f:
  cron.present:
    - identifier: docker-prune
    - special: '@weekly'
