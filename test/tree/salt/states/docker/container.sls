redis:
  docker_image.present:
    - tag: '7'

cache:
  docker_container.running:
    - image: redis:7
    - restart_policy: always
    - port_bindings:
      - 127.0.0.1:6379:6379
    - environment:
      - TZ: UTC
    - require:
      - docker_image: redis

old-cache:
  docker_container.absent:
    - force: True
