release checkout:
  git.detached:
    - name: https://git.example.org/api.git
    - target: /srv/api/release
    - rev: v2.4.1

mirror:
  git.cloned:
    - name: https://git.example.org/api.git
    - target: /srv/api/mirror
    - branch: main

user.email:
  git.config_set:
    - value: deploy@example.org
    - global: True

build:
  cmd.run:
    - name: make
    - cwd: /srv/api/release
    - onchanges:
      - git: release checkout
