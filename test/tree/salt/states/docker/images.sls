postgres:
  docker_image.present:
    - tag: '15'

nginx image:
  docker_image.present:
    - name: nginx
    - tag: alpine
    - force: False

/srv/compose:
  file.directory:
    - mode: 750

/srv/compose/docker-compose.yml:
  file.managed:
    - source: salt://docker/files/docker-compose.yml
    - mode: 640
    - require:
      - file: /srv/compose

docker-compose up -d:
  cmd.run:
    - cwd: /srv/compose
    - onchanges:
      - file: /srv/compose/docker-compose.yml
      - docker_image: postgres
      - docker_image: nginx image
